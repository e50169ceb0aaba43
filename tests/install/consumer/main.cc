#include <skiff/skiff.h>

#include <cstdio>

int main() {
    std::printf("skiff %s\n", skiff_version());
}
