// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync report: writing texts and figures in a page.
 */
#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "gosync.h"
#include "html.h"
#include "table.h"

const char html_style[] =
":root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--text:#1b2430;\n"
"--dim:#687385;--line:#e2e6ec;--bar:#3b6fd9;--bar2:#8fb0f2;--starve:#e8a33d;\n"
"--death:#d2374b;--well:#2c9c6a}\n"
"@media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1b212a;\n"
"--text:#e4e9f0;--dim:#8f9bad;--line:#2d3642;--bar:#6b9cff;--bar2:#3a5da8;\n"
"--starve:#e0a040;--death:#ff6b7d;--well:#4cc38a}}\n"
"*{box-sizing:border-box}\n"
"body{margin:0;background:var(--bg);color:var(--text);font:15px/1.45\n"
"system-ui,sans-serif;font-variant-numeric:tabular-nums}\n"
"main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}\n"
"h1{font-size:26px;margin:0;letter-spacing:-.01em}\n"
"h2{font-size:17px;margin:0 0 2px}\n"
".more{margin:12px 8px 0}\n"
"p{margin:0 0 14px;color:var(--dim)}small,i{color:var(--dim)}\n"
"section{background:var(--card);border:1px solid var(--line);\n"
"border-radius:12px;padding:20px 22px;margin-top:18px;overflow-x:auto}\n"
".lost{border-color:var(--death);color:var(--death)}\n"
".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));\n"
"gap:14px;margin-top:18px}\n"
".tile{background:var(--card);border:1px solid var(--line);\n"
"border-radius:12px;padding:14px 18px;overflow-wrap:anywhere}\n"
".tile b{display:block;font-size:24px;font-weight:650;letter-spacing:-.02em}\n"
".tile span{color:var(--dim);font-size:13px}\n"
"table{border-collapse:collapse;width:100%}\n"
"th{font-weight:500;color:var(--dim);font-size:12.5px;text-align:right;\n"
"padding:6px 8px;border-bottom:1px solid var(--line);vertical-align:bottom}\n"
"td{text-align:right;padding:7px 8px;border-bottom:1px solid var(--line);\n"
"white-space:nowrap}\n"
"tr:last-child td{border-bottom:0}\n"
"th:first-child,td:first-child,.l{text-align:left}\n"
"td.name{white-space:normal;overflow-wrap:anywhere;min-width:190px;\n"
"font-weight:550}\n"
".bad{color:var(--death);font-weight:600}.zero{color:var(--line)}\n"
"svg{display:block}svg text{fill:var(--dim);font:11px system-ui,sans-serif}\n"
".bar{fill:var(--bar)}.bar:hover,.lane rect:hover{opacity:.65}\n"
".grid{stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}\n"
".starve{fill:var(--starve)}.death{fill:var(--death)}.well{fill:var(--well)}\n"
".lane{display:grid;grid-template-columns:200px 1fr;gap:14px;\n"
"align-items:center;border-top:1px solid var(--line);padding:6px 0}\n"
".lane>div{overflow-wrap:anywhere;font-weight:550;line-height:1.25}\n"
".lane small{display:block;font-weight:400}\n"
".lane svg{width:100%;min-width:480px;height:auto}\n"
".key{display:flex;flex-wrap:wrap;gap:6px 18px;font-size:13px;\n"
"color:var(--dim);margin-bottom:10px}\n"
".key span::before{content:'';display:inline-block;width:10px;height:10px;\n"
"border-radius:3px;margin-right:6px;background:var(--c)}\n"
".small{display:grid;grid-template-columns:repeat(auto-fill,minmax(300px,1fr));\n"
"gap:22px 26px}\n"
".small>div{min-width:0;overflow-wrap:anywhere;font-weight:550}\n"
".small svg{width:100%;height:auto;margin-top:6px}\n"
".matrix td{text-align:center;border:2px solid var(--card);border-radius:6px;\n"
"padding:7px 8px;background:color-mix(in srgb,var(--bar) calc(var(--h,0)*1%),\n"
"var(--bg))}\n"
".matrix td.hot{color:#fff}.matrix td.who{background:none;text-align:left}\n"
".matrix th{text-align:center;border:0}\n"
".share{position:relative;min-width:110px;text-align:left}\n"
".share span{display:block;height:9px;border-radius:3px;background:var(--bar);\n"
"min-width:2px}\n"
"code{font:13px/1.5 ui-monospace,monospace;overflow-wrap:anywhere}\n"
"code .k{color:var(--dim)}code .in{color:var(--dim);padding:0 5px}\n"
".stack{display:grid;grid-template-columns:130px 1fr;gap:4px 16px;padding:9px 0;\n"
"border-top:1px solid var(--line)}\n"
".stack:first-of-type{border-top:0}\n"
"footer{color:var(--dim);font-size:13px;margin-top:22px;text-align:center}\n"
"@media print{body{background:none}section,.tile{break-inside:avoid}}\n";

void html(const char *s, size_t len)
{
	char *text = utf8_text(s, len), *at;

	if (!text)
		err(1, "gosync");
	fputs("<bdi>", stdout);
	for (at = text; *at; at++) {
		if (strchr("<>&\"'", *at))
			printf("&#%d;", *at);
		else if ((unsigned char)*at < ' ' || *at == 0x7f)
			fputs("\xef\xbf\xbd", stdout);
		else
			putchar(*at);
	}
	fputs("</bdi>", stdout);
	free(text);
}

void html_name(const struct trace_object *object)
{
	if (object->name_len)
		html(object->name, object->name_len);
	else
		printf("<i>anonymous %llu</i>",
		       (unsigned long long)object->id);
}

void html_process(const struct trace_task *task)
{
	if (!task) {
		fputs("<i>nobody</i>", stdout);
		return;
	}
	html(task->comm, strlen(task->comm));
	printf(" <small>%d</small>", task->pid);
}

const char *count(uint64_t n)
{
	static char bufs[4][32];
	static unsigned int next;
	char digits[24], *at = bufs[next++ % 4];
	const char *result = at;
	int len = sprintf(digits, "%llu", (unsigned long long)n), i;

	for (i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*at++ = ',';
		*at++ = digits[i];
	}
	*at = 0;
	return result;
}

const char *duration_with(uint64_t ns, int digits)
{
	static const char * const units[] = { "ns", "\302\265s", "ms", "s" };
	static char bufs[4][32];
	static unsigned int next;
	char *buf = bufs[next++ % 4];
	unsigned int i = 0;
	double n = ns;

	for (; n >= 999.5 && i < 3; i++)
		n /= 1000;
	if (!i || n >= 99.95)
		digits = 0;
	else if (n >= 9.995 && digits)
		digits = 1;
	/* A space that does not break the line */
	snprintf(buf, sizeof(bufs[0]), "%.*f\302\240%s", digits, n, units[i]);
	return buf;
}

const char *duration(uint64_t ns)
{
	return duration_with(ns, 2);
}

const char *plural(uint64_t n)
{
	return n == 1 ? "" : "s";
}

void rect(const char *class, double x, double y, double width,
	  double height)
{
	printf("<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
	       class, x, y, width, height);
}
