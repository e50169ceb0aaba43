// In this order, since jpeglib.h uses size_t and FILE and includes neither.
// clang-format off
#include <algorithm>
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
    bool start() {
        if (setjmp(handler_.escape)) return false;
        info_.out_color_space = JCS_RGB;
        jpeg_start_decompress(&info_);
        return true;
    }
    // `row` has room for width x 3 bytes.
    bool read_row(std::uint8_t* row) {
        if (setjmp(handler_.escape)) return false;
        jpeg_read_scanlines(&info_, &row, 1);
        return true;
    }
    bool finish() {
        if (setjmp(handler_.escape)) return false;
        jpeg_finish_decompress(&info_);
        return true;
    }
    // A Huffman code has a bit or more, and each block of 8 x 8 one or more codes: a file that
    // claims more than this ends early. (Arithmetic coding has no such bound.)
    bool can_hold_blocks(std::size_t file_bytes) {
        return info_.arith_code || largest_component_blocks() / 8 <= std::int64_t(file_bytes);
    }
    // Beside the pixels: a file in several scans is collected as coefficients before the first row
    // comes out.
    std::int64_t coefficient_bytes() {
        if (!jpeg_has_multiple_scans(&info_)) return 0;
        std::int64_t blocks = 0;
        for (int i = 0; i < info_.num_components; ++i) blocks += blocks_of(info_.comp_info[i]);
        return blocks * std::int64_t{sizeof(JBLOCK)};
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
    static std::int64_t blocks_of(const jpeg_component_info& component) {
        return std::int64_t{component.width_in_blocks} * component.height_in_blocks;
    }
    std::int64_t largest_component_blocks() const {
        std::int64_t largest = 0;
        for (int i = 0; i < info_.num_components; ++i)
            largest = std::max(largest, blocks_of(info_.comp_info[i]));
        return largest;
    }

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
    if (!reader.can_hold_blocks(file.size()))
        return error(Code::invalid_argument, "this JPEG cannot be decoded: it ends early");
    const std::int64_t rgb_bytes = reader.width() * reader.height() * 3;
    TRY(check_memory(rgb_bytes + reader.coefficient_bytes(),
                     "save it smaller, or not progressive"));
    const Orientation orientation = reader.orientation();  // the rows' end forgets the markers
    if (!reader.start()) return reader.failure();
    Pixels pixels{static_cast<int>(reader.width()), static_cast<int>(reader.height()), {}};
    pixels.rgb.reserve(static_cast<std::size_t>(rgb_bytes));  // pages come as rows do
    std::vector<std::uint8_t> row(static_cast<std::size_t>(reader.width() * 3));
    for (int y = 0; y < pixels.height; ++y) {
        if (!reader.read_row(row.data())) return reader.failure();
        pixels.rgb.insert(pixels.rgb.end(), row.begin(), row.end());
    }
    if (!reader.finish()) return reader.failure();
    return oriented(std::move(pixels), orientation);
}

}  // namespace skiff::tasks
