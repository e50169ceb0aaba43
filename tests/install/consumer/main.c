#include <skiff/c.h>
#include <stdio.h>

int main(void) {
    printf("skiff %s\n", skiff_version());
    return 0;
}
