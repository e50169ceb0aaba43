#include <cstdio>

#include <skiff/skiff.h>

int main() {
    std::printf("skiff %s\n", skiff_version());
}
