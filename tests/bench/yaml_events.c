/*
 * The floor under every reader of workflow files: libyaml's events and nothing else, over the files
 * named on standard input, one a line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#define FILE_MAX_BYTES (1 << 20)
#define PATH_MAX_BYTES 4096

static unsigned char content[FILE_MAX_BYTES];

static unsigned long count_events(const unsigned char *text, size_t length)
{
    yaml_parser_t parser;
    yaml_event_t event;
    unsigned long n = 0;
    int is_over = 0;
    if (!yaml_parser_initialize(&parser)) {
        return 0;
    }
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, text, length);
    while (!is_over && yaml_parser_parse(&parser, &event)) {
        is_over = event.type == YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
        n++;
    }
    yaml_parser_delete(&parser);
    return n;
}

int main(void)
{
    char path[PATH_MAX_BYTES];
    unsigned long n_events = 0, n_files = 0;
    while (fgets(path, sizeof path, stdin)) {
        path[strcspn(path, "\n")] = '\0';
        FILE *file = fopen(path, "rb");
        if (!file) {
            fprintf(stderr, "%s: cannot be read\n", path);
            return EXIT_FAILURE;
        }
        size_t length = fread(content, 1, sizeof content, file);
        (void)fclose(file);
        n_events += count_events(content, length);
        n_files++;
    }
    printf("%lu files, %lu events\n", n_files, n_events);
    return EXIT_SUCCESS;
}
