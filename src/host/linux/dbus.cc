#include "host/linux/dbus.h"

#include <dlfcn.h>
#include <unistd.h>

namespace skiff::host {

namespace {

// The few functions of sd-bus (sd-bus(3)) that reading a property takes.
struct SdBus {
    int (*open_system)(void** bus) = nullptr;
    int (*get_property)(void* bus, const char* service, const char* path, const char* interface,
                        const char* property, void* error, char type, void* value) = nullptr;
    void* (*unref)(void* bus) = nullptr;
    bool usable = false;

    SdBus() {
        if (::access("/run/dbus/system_bus_socket", F_OK) != 0) return;
        void* library = ::dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
        if (!library) return;
        open_system =
            reinterpret_cast<decltype(open_system)>(::dlsym(library, "sd_bus_open_system"));
        get_property = reinterpret_cast<decltype(get_property)>(
            ::dlsym(library, "sd_bus_get_property_trivial"));
        unref = reinterpret_cast<decltype(unref)>(::dlsym(library, "sd_bus_flush_close_unref"));
        usable = open_system && get_property && unref;
    }
};

template <typename T>
std::optional<T> property_of(const char* service, const char* path, const char* interface,
                             const char* property, char type) {
    static const SdBus sd;
    void* bus = nullptr;
    if (!sd.usable || sd.open_system(&bus) < 0) return std::nullopt;
    T value{};
    const int result =
        sd.get_property(bus, service, path, interface, property, nullptr, type, &value);
    sd.unref(bus);
    if (result < 0) return std::nullopt;
    return value;
}

}  // namespace

std::optional<bool> dbus_boolean(const char* service, const char* path, const char* interface,
                                 const char* property) {
    const auto value = property_of<int>(service, path, interface, property, 'b');
    if (!value) return std::nullopt;
    return *value != 0;
}

std::optional<std::uint32_t> dbus_unsigned(const char* service, const char* path,
                                           const char* interface, const char* property) {
    return property_of<std::uint32_t>(service, path, interface, property, 'u');
}

}  // namespace skiff::host
