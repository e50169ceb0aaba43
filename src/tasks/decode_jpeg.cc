// In this order, since jpeglib.h uses size_t and FILE and includes neither.
// clang-format off
#include <csetjmp>
#include <cstddef>
#include <cstdio>

#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "tasks/decoders.h"
#include "tasks/orientation.h"

namespace skiff::tasks {
namespace {

// A progressive file may repeat scans for ever, a few bytes each; real ones have about ten.
constexpr int max_scans = 100;

// libjpeg reports by calling back and must not be returned to after an error: it leaves by longjmp,
// and every function that may be left that way holds no C++ objects.
struct Handler {
    jpeg_error_mgr errors;
    jpeg_progress_mgr progress;
    jmp_buf escape;
    char text[JMSG_LENGTH_MAX];
};

Handler& handler_of(j_common_ptr info) {
    return *static_cast<Handler*>(info->client_data);
}

[[noreturn]] void on_error(j_common_ptr info) {
    info->err->format_message(info, handler_of(info).text);
    longjmp(handler_of(info).escape, 1);
}

// libjpeg fills what is missing with gray and calls that a warning; half a photo would get a
// confident label.
void on_message(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER)) on_error(info);
}

void on_progress(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= max_scans) return;
    std::snprintf(handler_of(info).text, JMSG_LENGTH_MAX, "more than %d scans", max_scans);
    longjmp(handler_of(info).escape, 1);
}

class JpegReader {
 public:
    JpegReader() {
        info_.err = jpeg_std_error(&handler_.errors);
        handler_.errors.error_exit = on_error;
        handler_.errors.emit_message = on_message;
        handler_.progress.progress_monitor = on_progress;
        info_.client_data = &handler_;
    }
    ~JpegReader() { jpeg_destroy_decompress(&info_); }
    JpegReader(const JpegReader&) = delete;
    JpegReader& operator=(const JpegReader&) = delete;

    bool read_header(Bytes file) {
        if (setjmp(handler_.escape)) return false;
        jpeg_create_decompress(&info_);
        info_.progress = &handler_.progress;
        jpeg_mem_src(&info_, file.data(), static_cast<unsigned long>(file.size()));
        jpeg_save_markers(&info_, JPEG_APP0 + 1, 0xFFFF);
        jpeg_read_header(&info_, TRUE);
        return true;
    }
    // `rows` has room for width x height x 3 bytes.
    bool read_rows(std::uint8_t* rows) {
        if (setjmp(handler_.escape)) return false;
        info_.out_color_space = JCS_RGB;
        jpeg_start_decompress(&info_);
        while (info_.output_scanline < info_.output_height) {
            JSAMPROW row = rows + std::size_t{3} * info_.image_width * info_.output_scanline;
            jpeg_read_scanlines(&info_, &row, 1);
        }
        jpeg_finish_decompress(&info_);
        return true;
    }
    bool is_cmyk() const {
        return info_.jpeg_color_space == JCS_CMYK || info_.jpeg_color_space == JCS_YCCK;
    }
    std::int64_t width() const { return info_.image_width; }
    std::int64_t height() const { return info_.image_height; }
    Orientation orientation() const {
        for (const jpeg_marker_struct* m = info_.marker_list; m; m = m->next)
            if (const Orientation o = exif_orientation({m->data, m->data_length});
                o != Orientation::upright)
                return o;
        return Orientation::upright;
    }
    Error failure() const {
        return error(Code::invalid_argument,
                     std::string("this JPEG cannot be decoded: ") + handler_.text);
    }

 private:
    jpeg_decompress_struct info_{};
    Handler handler_{};
};

}  // namespace

Result<Pixels> decode_jpeg(Bytes file) {
    JpegReader reader;
    if (!reader.read_header(file)) return reader.failure();
    TRY(check_size(reader.width(), reader.height()));
    if (reader.is_cmyk())
        return error(Code::invalid_argument,
                     "this JPEG has CMYK colours, made for printing: save it as RGB");
    Pixels pixels{static_cast<int>(reader.width()), static_cast<int>(reader.height()), {}};
    pixels.rgb.resize(static_cast<std::size_t>(reader.width() * reader.height() * 3));
    const Orientation orientation = reader.orientation();  // the rows' end forgets the markers
    if (!reader.read_rows(pixels.rgb.data())) return reader.failure();
    return oriented(std::move(pixels), orientation);
}

}  // namespace skiff::tasks
