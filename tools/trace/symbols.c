// SPDX-License-Identifier: GPL-2.0-only
/*
 * gosync trace: names of processes, and places in the code.
 *
 * The name and the mappings of a process are read when its first event comes,
 * because it may end soon. They are read again when it opens an object, because
 * it may run another program by then. A place in the code is a file and an
 * address in it. So processes of one program share their stacks, wherever the
 * program is loaded.
 */
#include <elfutils/libdwfl.h>
#include <err.h>
#include <gelf.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"

#define MAX_DEPTH	64

struct map {
	uint64_t start, end, offset;
	struct trace_file *file;
};

struct process {
	pid_t pid;
	bool known;
	char *text;		/* of /proc/PID/maps */
	unsigned int version;	/* of that */
	struct map *maps;
	size_t nr_maps;
};

/* A stack as the kernel records it */
struct raw_stack {
	const struct process *process;
	unsigned int version;
	unsigned int nr_kernel, nr;
	const struct trace_stack *stack;
	uint64_t addresses[MAX_DEPTH];
};

struct kernel_symbol {
	uint64_t address;
	char *name;
};

static void *tasks, *processes, *files, *frames, *stacks, *raw_stacks;
static struct kernel_symbol *kernel_symbols;
static size_t nr_kernel_symbols;

static void *must_have(void *p)
{
	if (!p)
		err(1, "gosync");
	return p;
}

static int compare(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* --- Tasks --------------------------------------------------------------- */

static int compare_tasks(const void *a, const void *b)
{
	const struct trace_task *x = a, *y = b;

	return compare(x->tid, y->tid);
}

static void ask(struct trace_task *task)
{
	char path[32], line[128];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", task->tid);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &task->pid) == 1)
			break;
	fclose(f);
	/* The file status would have the name with escapes. */
	snprintf(path, sizeof(path), "/proc/%d/comm", task->tid);
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		snprintf(task->comm, sizeof(task->comm), "%.15s", line);
	}
	fclose(f);
}

struct trace_task *trace_task(pid_t tid, pid_t pid, const char *comm)
{
	struct trace_task key = { .tid = tid }, *task;
	struct trace_task **found;

	found = tfind(&key, &tasks, compare_tasks);
	if (found)
		return *found;
	task = must_have(calloc(1, sizeof(*task)));
	task->tid = tid;
	task->pid = pid ? pid : tid;
	if (comm)
		snprintf(task->comm, sizeof(task->comm), "%s", comm);
	else
		ask(task);
	must_have(tsearch(task, &tasks, compare_tasks));
	return task;
}

/* --- Files --------------------------------------------------------------- */

static int compare_files(const void *a, const void *b)
{
	const struct trace_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

/* Find the addresses of the code in the file as it is linked. */
static void find_code(struct trace_file *file, Elf *elf)
{
	GElf_Phdr phdr;
	size_t n, i;

	if (!elf || elf_getphdrnum(elf, &n))
		return;
	for (i = 0; i < n; i++) {
		if (!gelf_getphdr(elf, i, &phdr) || phdr.p_type != PT_LOAD ||
		    !(phdr.p_flags & PF_X))
			continue;
		file->start = phdr.p_vaddr;
		file->limit = phdr.p_vaddr + phdr.p_memsz;
		file->offset = phdr.p_offset;
		return;
	}
}

static void find_build_id(struct trace_file *file)
{
	const unsigned char *id;
	GElf_Addr address;
	int i, n;

	n = dwfl_module_build_id(file->module, &id, &address);
	for (i = 0; i < n && 2 * i + 2 < (int)sizeof(file->build_id); i++)
		sprintf(file->build_id + 2 * i, "%02x", id[i]);
}

static void read_symbols(struct trace_file *file)
{
	static const Dwfl_Callbacks callbacks = {
		.find_elf = dwfl_build_id_find_elf,
		.find_debuginfo = dwfl_standard_find_debuginfo,
		.section_address = dwfl_offline_section_address,
	};
	Dwfl *dwfl;
	GElf_Addr bias;

	/* Do not ask a server for debug information. */
	unsetenv("DEBUGINFOD_URLS");
	dwfl = dwfl_begin(&callbacks);
	if (!dwfl)
		return;
	file->module = dwfl_report_offline(dwfl, "", file->path, -1);
	dwfl_report_end(dwfl, NULL, NULL);
	if (!file->module) {
		dwfl_end(dwfl);
		return;
	}
	find_code(file, dwfl_module_getelf(file->module, &bias));
	find_build_id(file);
}

static struct trace_file *get_file(const char *path)
{
	struct trace_file key = { .path = path }, *file;
	struct trace_file **found;

	found = tfind(&key, &files, compare_files);
	if (found)
		return *found;
	file = must_have(calloc(1, sizeof(*file)));
	file->path = must_have(strdup(path));
	must_have(tsearch(file, &files, compare_files));
	read_symbols(file);
	return file;
}

/* --- Processes ----------------------------------------------------------- */

static int compare_processes(const void *a, const void *b)
{
	const struct process *x = a, *y = b;

	return compare(x->pid, y->pid);
}

static void parse_maps(struct process *process)
{
	char *text = must_have(strdup(process->text));
	char *line, *rest = text, perms[8];
	unsigned long long start, end, offset;
	int path;

	free(process->maps);
	process->maps = NULL;
	process->nr_maps = 0;
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %n", &start, &end,
			   perms, &offset, &path) < 4 ||
		    perms[2] != 'x' || line[path] != '/')
			continue;
		process->maps = must_have(reallocarray(process->maps,
						       process->nr_maps + 1,
						       sizeof(struct map)));
		process->maps[process->nr_maps++] = (struct map) {
			start, end, offset, get_file(line + path),
		};
	}
	free(text);
}

static void read_maps(struct process *process)
{
	size_t len = 0, room = 0;
	char path[32], *text = NULL;
	FILE *f;

	process->known = true;
	snprintf(path, sizeof(path), "/proc/%d/maps", process->pid);
	f = fopen(path, "re");
	if (!f)
		return;
	do {
		room += 16384;
		text = must_have(realloc(text, room + 1));
		len += fread(text + len, 1, room - len, f);
	} while (len == room);
	fclose(f);
	text[len] = 0;
	/* The process has ended, or its mappings have not changed. */
	if (!len || (process->text && !strcmp(text, process->text))) {
		free(text);
		return;
	}
	free(process->text);
	process->text = text;
	process->version++;
	parse_maps(process);
}

static struct process *get_process(pid_t pid)
{
	struct process key = { .pid = pid }, *process;
	struct process **found;

	found = tfind(&key, &processes, compare_processes);
	if (found) {
		process = *found;
	} else {
		process = must_have(calloc(1, sizeof(*process)));
		process->pid = pid;
		must_have(tsearch(process, &processes, compare_processes));
	}
	if (!process->known)
		read_maps(process);
	return process;
}

void trace_task_changed(struct trace_task *task)
{
	struct process key = { .pid = task->pid };
	struct process **found = tfind(&key, &processes, compare_processes);

	ask(task);
	if (found)
		(*found)->known = false;
}

/* --- Frames -------------------------------------------------------------- */

static int compare_frames(const void *a, const void *b)
{
	const struct trace_frame *x = a, *y = b;

	return compare((uintptr_t)x->file, (uintptr_t)y->file) ?:
	       compare(x->address, y->address);
}

static void find_user_function(struct trace_frame *frame)
{
	const char *base = strrchr(frame->file->path, '/') + 1;
	GElf_Addr bias, address;
	const char *name;
	Dwfl_Line *line;
	char *text;

	if (frame->file->module &&
	    dwfl_module_getelf(frame->file->module, &bias)) {
		address = frame->address + bias;
		name = dwfl_module_addrname(frame->file->module, address);
		if (name)
			frame->function = must_have(strdup(name));
		line = dwfl_module_getsrc(frame->file->module, address);
		if (line)
			frame->source = dwfl_lineinfo(line, NULL, &frame->line,
						      NULL, NULL, NULL);
	}
	if (frame->function)
		return;
	if (asprintf(&text, "%s+%#llx", base,
		     (unsigned long long)frame->address) < 0)
		must_have(NULL);
	frame->function = text;
}

static struct trace_frame *get_frame(struct trace_file *file, uint64_t address,
				     const char *function)
{
	struct trace_frame key = { .file = file, .address = address };
	struct trace_frame **found, *frame;

	found = tfind(&key, &frames, compare_frames);
	if (found)
		return *found;
	frame = must_have(malloc(sizeof(*frame)));
	*frame = key;
	frame->function = function;
	must_have(tsearch(frame, &frames, compare_frames));
	return frame;
}

const struct trace_frame *trace_named(struct trace_frame *frame)
{
	if (!frame->function)
		find_user_function(frame);
	return frame;
}

/* A return address is behind its call. */
static struct trace_frame *user_frame(const struct process *process,
				      uint64_t address)
{
	const struct map *map;

	address--;
	for (map = process->maps; map < process->maps + process->nr_maps; map++)
		if (address >= map->start && address < map->end)
			return get_frame(map->file, address - map->start +
					 map->offset + map->file->start -
					 map->file->offset, NULL);
	return NULL;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct kernel_symbol *x = a, *y = b;

	return compare(x->address, y->address);
}

/* Keep only functions of the module: the frames below are always the same. */
void trace_read_kernel_symbols(void)
{
	unsigned long long address;
	char line[512], name[256];
	struct kernel_symbol *to;
	FILE *f;

	nr_kernel_symbols = 1;
	kernel_symbols = must_have(calloc(1, sizeof(*kernel_symbols)));
	f = fopen("/proc/kallsyms", "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (!strstr(line, "\t[gosync]") ||
		    sscanf(line, "%llx %*c %255s", &address, name) != 2)
			continue;
		kernel_symbols = must_have(reallocarray(kernel_symbols,
							nr_kernel_symbols + 1,
							sizeof(*to)));
		to = &kernel_symbols[nr_kernel_symbols++];
		to->address = address;
		to->name = must_have(strdup(name));
		/* The names that the compiler gives to clones of a function */
		to->name[strcspn(to->name, ".")] = 0;
	}
	fclose(f);
	qsort(kernel_symbols, nr_kernel_symbols, sizeof(*kernel_symbols),
	      compare_symbols);
}

/* Return: NULL if the function is not the module's, or says nothing */
static struct trace_frame *kernel_frame(uint64_t address)
{
	static const char * const dull[] = {
		"wait_begins", "gosync_wait_begins", "gosync_wait_ends",
		"gosync_wait_for", "run",
		"gosync_ioctl", "trace_", "__traceiter_", "__bpf_trace_",
		"perf_trace_",
	};
	size_t low = 0, high, i;
	const char *name;

	high = nr_kernel_symbols;
	while (high - low > 1) {
		size_t middle = (low + high) / 2;

		if (kernel_symbols[middle].address < address)
			low = middle;
		else
			high = middle;
	}
	name = kernel_symbols[low].name;
	/* Other code lies far away from that of the module. */
	if (!name || address - kernel_symbols[low].address > 16384)
		return NULL;
	if (!strcmp(name, "gosync_wait"))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(dull); i++)
		if (!strncmp(name, dull[i], strlen(dull[i])))
			return NULL;
	return get_frame(NULL, kernel_symbols[low].address, name);
}

/* --- Stacks -------------------------------------------------------------- */

static int compare_stacks(const void *a, const void *b)
{
	const struct trace_stack *x = a, *y = b;

	return compare(x->depth, y->depth) ?:
	       memcmp(x->frames, y->frames, x->depth * sizeof(x->frames[0]));
}

static const struct trace_stack *get_stack(struct trace_frame **at,
					   unsigned int depth)
{
	size_t size = depth * sizeof(*at);
	struct trace_stack **found, *stack;

	stack = must_have(malloc(sizeof(*stack) + size));
	stack->depth = depth;
	memcpy(stack->frames, at, size);
	found = must_have(tsearch(stack, &stacks, compare_stacks));
	if (*found != stack)
		free(stack);
	return *found;
}

static int compare_raw(const void *a, const void *b)
{
	const struct raw_stack *x = a, *y = b;

	return compare((uintptr_t)x->process, (uintptr_t)y->process) ?:
	       compare(x->version, y->version) ?:
	       compare(x->nr_kernel, y->nr_kernel) ?: compare(x->nr, y->nr) ?:
	       memcmp(x->addresses, y->addresses,
		      x->nr * sizeof(x->addresses[0]));
}

static const struct trace_stack *resolve(const struct raw_stack *raw)
{
	struct trace_frame *at[MAX_DEPTH], *frame;
	unsigned int depth = 0, i;

	for (i = 0; i < raw->nr; i++) {
		if (i < raw->nr_kernel)
			frame = kernel_frame(raw->addresses[i]);
		else
			frame = user_frame(raw->process, raw->addresses[i]);
		if (frame)
			at[depth++] = frame;
		else if (i >= raw->nr_kernel)
			/* The frames after this one are not real. */
			break;
	}
	return depth ? get_stack(at, depth) : NULL;
}

const struct trace_stack *trace_stack(pid_t pid, const uint64_t *kernel,
				      unsigned int nr_kernel,
				      const uint64_t *user,
				      unsigned int nr_user)
{
	const struct process *process = get_process(pid);
	struct raw_stack raw, **found, *copy;

	if (nr_kernel > MAX_DEPTH / 2)
		nr_kernel = MAX_DEPTH / 2;
	if (nr_user > MAX_DEPTH / 2)
		nr_user = MAX_DEPTH / 2;
	raw.process = process;
	raw.version = process->version;
	raw.nr_kernel = nr_kernel;
	raw.nr = nr_kernel + nr_user;
	memcpy(raw.addresses, kernel, nr_kernel * sizeof(*kernel));
	memcpy(raw.addresses + nr_kernel, user, nr_user * sizeof(*user));
	found = tfind(&raw, &raw_stacks, compare_raw);
	if (found)
		return (*found)->stack;
	raw.stack = resolve(&raw);
	copy = must_have(malloc(sizeof(*copy)));
	memcpy(copy, &raw, offsetof(struct raw_stack, addresses) +
	       raw.nr * sizeof(raw.addresses[0]));
	must_have(tsearch(copy, &raw_stacks, compare_raw));
	return raw.stack;
}

static int compare_names(const void *a, const void *b)
{
	const struct trace_frame *x = a, *y = b;

	return compare((uintptr_t)x->file, (uintptr_t)y->file) ?:
	       strcmp(x->function, y->function);
}

static struct trace_frame *named_frame(const char *function, bool kernel)
{
	static struct trace_file program = { .path = "program" };
	static void *named;
	struct trace_frame **found, *frame, key = {
		.file = kernel ? NULL : &program,
		.function = function,
	};

	found = tfind(&key, &named, compare_names);
	if (found)
		return *found;
	frame = must_have(malloc(sizeof(*frame)));
	*frame = key;
	frame->function = must_have(strdup(function));
	must_have(tsearch(frame, &named, compare_names));
	return frame;
}

const struct trace_stack *trace_stack_named(const char **functions,
					    const bool *kernel,
					    unsigned int depth)
{
	struct trace_frame *at[MAX_DEPTH];
	unsigned int i;

	if (depth > MAX_DEPTH)
		depth = MAX_DEPTH;
	for (i = 0; i < depth; i++)
		at[i] = named_frame(functions[i], kernel[i]);
	return depth ? get_stack(at, depth) : NULL;
}
