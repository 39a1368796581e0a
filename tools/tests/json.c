// SPDX-License-Identifier: GPL-2.0-only
/*
 * json [KEY|INDEX...]: read JSON from standard input, which must be valid and
 * have nothing else, and print the value at the place that the arguments name.
 */
#include <err.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>

static char input[16 << 20];

int main(int argc, char **argv)
{
	size_t len = fread(input, 1, sizeof(input) - 1, stdin);
	struct json_tokener *parser = json_tokener_new();
	struct json_object *at;
	int i;

	json_tokener_set_flags(parser, JSON_TOKENER_STRICT |
			       JSON_TOKENER_VALIDATE_UTF8);
	/* Parse the final 0 too, so that incomplete JSON is an error. */
	at = json_tokener_parse_ex(parser, input, len + 1);
	if (json_tokener_get_error(parser) != json_tokener_success)
		errx(1, "this is no valid JSON");
	for (i = 1; i < argc; i++) {
		if (json_object_is_type(at, json_type_array))
			at = json_object_array_get_idx(at, atoi(argv[i]));
		else if (!json_object_object_get_ex(at, argv[i], &at))
			errx(1, "there is no %s", argv[i]);
	}
	if (json_object_is_type(at, json_type_string))
		puts(json_object_get_string(at));
	else
		puts(json_object_to_json_string(at));
	return 0;
}
