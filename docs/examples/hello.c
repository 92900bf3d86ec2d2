/* hello.c - a name is bound to an int, and read again.  cc hello.c $(pkg-config --cflags --libs heapd) -o hello */
#include <heapd.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    struct hd_link *link = hd_link_new(NULL);
    bool is_fine = link != NULL && hd_connect(link, argc > 1 ? argv[1] : NULL, 5000) == HD_OK &&
                   hd_ask(link, 1000, "bind", "si", "answer", 42) == HD_OK &&
                   hd_ask(link, 1000, "get", "s", "answer") == HD_OK;

    if (is_fine)
        printf("the answer is %lld\n", (long long)hd_int(hd_answer(link)));
    else
        fprintf(stderr, "%s\n", hd_error(link));
    hd_link_free(link);
    return is_fine ? 0 : 1;
}
