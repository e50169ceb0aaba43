#include <stdio.h>

#include <skiff/c.h>

int main(void) {
    printf("skiff %s\n", skiff_version());
    return 0;
}
