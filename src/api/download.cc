#include "api/client.h"
#include "api/error.h"
#include "api/values.h"

void skiff_download_destroy(skiff_download* download) {
    delete download;
}

void skiff_download_get_progress(skiff_download* download, skiff_progress* progress) {
    const skiff_progress now = skiff::api::to_c(download->download.progress());
    skiff::api::write_versioned(&now, progress, sizeof now);
}

void skiff_download_on_progress(skiff_download* download,
                                void (*callback)(void* user, const skiff_progress* progress),
                                void* user, void (*release)(void* user)) {
    const skiff::api::User kept = skiff::api::take_user(user, release);
    if (!callback) return download->download.on_progress({});
    download->download.on_progress([callback, kept](const skiff::device::Progress& progress) {
        const skiff_progress p = skiff::api::to_c(progress);
        callback(kept.get(), &p);
    });
}

int32_t skiff_download_wait(skiff_download* download, int64_t at_most_ms, skiff_error* error) {
    return skiff::api::finish(download->download.wait(skiff::api::at_most(at_most_ms)), error);
}

int32_t skiff_download_done(skiff_download* download) {
    return download->download.done();
}

void skiff_download_cancel(skiff_download* download) {
    download->download.cancel();
}
