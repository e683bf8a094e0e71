/* A bare reader of one virtual device: what the interface allows at best. Takes every command and
 * answers it at once; the data are thrown away. Shares no code with the agent.
 *
 *   reader LIBRARY SET-NAME
 *
 * Prints the bytes it was given. The layout is that of Microsoft's vdi.h (facts: two C++ classes
 * without virtual members, called under their mangled names).
 */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct config {
    uint32_t devices, features, prefix_zone, alignment, soft_mark, eom_warning, server_timeout;
    uint32_t block, depth, transfer, area;
};

struct command {
    int32_t code, size;
    int64_t position;
    uint8_t *buffer;
};

enum { WRITE = 2, CLEAR_ERROR = 3, FLUSH = 12, COMPLETE = 19 };
enum { REQUEST_COMPLETE = 0x2000 };
#define TIMEOUT ((int)0x80770003)
#define CLOSED ((int)0x8077000E)

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (!found) fprintf(stderr, "no %s\n", name);
    return found;
}

int main(int count, char **words) {
    if (count != 3) return fprintf(stderr, "reader LIBRARY SET-NAME\n"), 2;
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    void (*make)(void *) = symbol(library, "_ZN22ClientVirtualDeviceSetC1Ev");
    int (*create)(void *, char *, struct config *) =
        symbol(library, "_ZN22ClientVirtualDeviceSet6CreateEPcP8VDConfig");
    int (*agree)(void *, long, struct config *) =
        symbol(library, "_ZN22ClientVirtualDeviceSet16GetConfigurationElP8VDConfig");
    int (*open_device)(void *, char *, void **) =
        symbol(library, "_ZN22ClientVirtualDeviceSet10OpenDeviceEPcPP19ClientVirtualDevice");
    int (*close_set)(void *) = symbol(library, "_ZN22ClientVirtualDeviceSet5CloseEv");
    int (*next)(void *, long, struct command **) =
        symbol(library, "_ZN19ClientVirtualDevice10GetCommandElPP11VDC_Command");
    int (*answer)(void *, struct command *, int, unsigned long, int64_t) =
        symbol(library, "_ZN19ClientVirtualDevice15CompleteCommandEP11VDC_Commandiml");
    if (!make || !create || !agree || !open_device || !close_set || !next || !answer) return 1;

    /* Larger than the class, whose size the header alone would tell. */
    static _Alignas(64) unsigned char set[65536];
    struct config config = {.devices = 1, .features = REQUEST_COMPLETE, .server_timeout = 600000};
    make(set);
    int code = create(set, words[2], &config);
    if (code) return fprintf(stderr, "Create: %x\n", (unsigned)code), 1;
    puts("ready");
    fflush(stdout);
    while ((code = agree(set, 1000, &config)) == TIMEOUT) {}
    if (code) return fprintf(stderr, "GetConfiguration: %x\n", (unsigned)code), 1;
    void *device = NULL;
    code = open_device(set, words[2], &device);
    if (code) return fprintf(stderr, "OpenDevice: %x\n", (unsigned)code), 1;

    uint64_t bytes = 0;
    struct command *command = NULL;
    for (;;) {
        code = next(device, 1000, &command);
        if (code == TIMEOUT) continue;
        if (code) break;
        unsigned long moved = 0;
        int error = 0;
        switch (command->code) {
        case WRITE: moved = (unsigned long)command->size; bytes += moved; break;
        case CLEAR_ERROR: case FLUSH: case COMPLETE: break;
        default: error = 50; /* ERROR_NOT_SUPPORTED */
        }
        code = answer(device, command, error, moved, 0);
        if (code) break;
    }
    close_set(set);
    if (code != CLOSED) return fprintf(stderr, "ended with %x\n", (unsigned)code), 1;
    printf("%llu\n", (unsigned long long)bytes);
    return 0;
}
