/* Writes the theme files into a C table: gen_themes OUTPUT FILE... */
#include <stdio.h>
#include <string.h>

#include <wpa/arena.h>
#include <wpa/file.h>

static void write_text(FILE *out, const char *text)
{
    (void)fputs("     \"", out);
    for (; *text; text++) {
        if (*text == '\n') {
            (void)fputs(text[1] ? "\\n\"\n     \"" : "\\n", out);
        } else if (*text == '"' || *text == '\\') {
            (void)fprintf(out, "\\%c", *text);
        } else {
            (void)fputc(*text, out);
        }
    }
    (void)fputs("\"", out);
}

int main(int argc, char **argv)
{
    wpa_error err = {0};
    WPA_AUTO(wpa_arena) *arena = wpa_arena_new();
    FILE *out = argc > 1 ? fopen(argv[1], "w") : NULL;
    if (!out) {
        (void)fputs("usage: gen_themes OUTPUT FILE...\n", stderr);
        return 2;
    }
    (void)fputs("#include \"theme/theme.h\"\n\nconst wpa_theme_file wpa_theme_files[] = {\n", out);
    for (int i = 2; i < argc; i++) {
        size_t size_bytes = 0;
        const char *text = wpa_file_read(argv[i], 65536, arena, &size_bytes, &err);
        if (!text) {
            (void)fprintf(stderr, "%s\n", err.message);
            (void)fclose(out);
            return 1;
        }
        const char *name = strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i];
        (void)fprintf(out, "    {\"%.*s\",\n", (int)(strlen(name) - strlen(".yaml")), name);
        write_text(out, text);
        (void)fputs("},\n", out);
    }
    (void)fprintf(out, "};\nconst size_t wpa_n_theme_files = %d;\n", argc - 2);
    return fclose(out) == 0 ? 0 : 1;
}
