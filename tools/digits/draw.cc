#include "tools/digits/draw.h"

#include <algorithm>

#include "tools/digits/glyph.h"

namespace skiff::digits {
namespace {

using Canvas = std::array<double, side * side>;  // ink, 0..1

// Waves that push points about: what a hand, a lens and crumpled paper do.
struct Wave {
    double push_x, push_y, frequency_x, frequency_y, phase;

    explicit Wave(Random& random)
        : push_x(random.uniform(-0.1, 0.1)),
          push_y(random.uniform(-0.1, 0.1)),
          frequency_x(random.uniform(-3, 3)),
          frequency_y(random.uniform(-3, 3)),
          phase(random.uniform(0, 2 * pi)) {}
    Point apply(Point p) const {
        const double height = portable_sin(p.x * frequency_x + p.y * frequency_y + phase);
        return {p.x + push_x * height, p.y + push_y * height};
    }
};

// From the glyph's box to pixels: size, slant, turn, place.
struct Placement {
    double xx, xy, yx, yy, x, y;

    explicit Placement(Random& random) {
        const double angle = random.uniform(-0.26, 0.26);
        const double width = random.uniform(7, 11), height = random.uniform(8, 11.5);
        const double slant = random.uniform(-0.35, 0.25);
        const double c = portable_cos(angle), s = portable_sin(angle);
        xx = c * width;
        xy = (c * slant - s) * height;
        yx = s * width;
        yy = (s * slant + c) * height;
        x = side / 2.0 + random.uniform(-2, 2);
        y = side / 2.0 + random.uniform(-2, 2);
    }
    Point apply(Point p) const { return {xx * p.x + xy * p.y + x, yx * p.x + yy * p.y + y}; }
};

double squared_distance(Point p, Point a, Point b) {
    const double dx = b.x - a.x, dy = b.y - a.y;
    const double length = dx * dx + dy * dy;
    double t = length > 0 ? ((p.x - a.x) * dx + (p.y - a.y) * dy) / length : 0;
    t = std::clamp(t, 0.0, 1.0);
    const double ex = a.x + t * dx - p.x, ey = a.y + t * dy - p.y;
    return ex * ex + ey * ey;
}

// Ink fades over `blur` pixels at the edge of a line `thickness` wide.
void ink(Canvas& canvas, const Stroke& stroke, double thickness, double blur, double strength) {
    const double reach = thickness / 2 + blur;
    for (std::size_t i = 1; i < stroke.size(); ++i) {
        const Point a = stroke[i - 1], b = stroke[i];
        const auto first = [&](double u, double v) {
            return std::max(0, static_cast<int>(std::min(u, v) - reach));
        };
        const auto last = [&](double u, double v) {
            return std::min(side - 1, static_cast<int>(std::max(u, v) + reach));
        };
        for (int y = first(a.y, b.y); y <= last(a.y, b.y); ++y)
            for (int x = first(a.x, b.x); x <= last(a.x, b.x); ++x) {
                const double distance = std::sqrt(squared_distance({x + 0.5, y + 0.5}, a, b));
                const double cover =
                    std::clamp((thickness / 2 - distance) / blur + 0.5, 0.0, 1.0) * strength;
                double& pixel = canvas[static_cast<std::size_t>(y * side + x)];
                pixel = std::max(pixel, cover);
            }
    }
}

// A piece of something else in the picture: the neighbouring digit, a line of the paper.
void add_clutter(Canvas& canvas, Random& random) {
    const double edge = random.chance(0.5) ? random.uniform(0, 3) : random.uniform(side - 3, side);
    const double from = random.uniform(0, side), to = from + random.uniform(-14, 14);
    const double lean = random.uniform(-2, 2);
    const bool upright = random.chance(0.5);
    const Stroke line =
        upright ? Stroke{{edge, from}, {edge + lean, to}} : Stroke{{from, edge}, {to, edge + lean}};
    // In this order: the committed models were trained on these pictures (and the order in which a
    // call's arguments are computed is the compiler's choice).
    const double strength = random.uniform(0.3, 0.9), thickness = random.uniform(0.8, 2);
    ink(canvas, line, thickness, 1, strength);
}

Picture develop(const Canvas& canvas, Random& random) {
    const double paper = random.uniform(0, 0.3), contrast = random.uniform(0.35, 0.7);
    const double slope_x = random.uniform(-0.1, 0.1), slope_y = random.uniform(-0.1, 0.1);
    const double noise = random.uniform(0, 0.1);
    const bool negative = random.chance(0.5);
    Picture picture;
    for (int y = 0; y < side; ++y)
        for (int x = 0; x < side; ++x) {
            const auto i = static_cast<std::size_t>(y * side + x);
            const double light = slope_x * x / side + slope_y * y / side;
            double value = paper + light + contrast * canvas[i] + noise * random.normal();
            if (negative) value = 1 - value;
            picture[i] = static_cast<std::uint8_t>(std::clamp(value * 255 + 0.5, 0.0, 255.0));
        }
    return picture;
}

}  // namespace

Picture draw(int digit, Random& random) {
    const Wave waves[] = {Wave(random), Wave(random)};
    const Placement placement(random);
    const double thickness = random.uniform(1.2, 4), blur = random.uniform(0.8, 2);
    Canvas canvas{};
    for (Stroke& stroke : glyph(digit, random)) {
        for (Point& p : stroke) {
            for (const Wave& wave : waves) p = wave.apply(p);
            p = placement.apply(p);
        }
        ink(canvas, stroke, thickness, blur, 1);
    }
    if (random.chance(0.3)) add_clutter(canvas, random);
    return develop(canvas, random);
}

Sample draw_any(Random& random) {
    const int digit = random.below(10);
    return {draw(digit, random), digit};
}

}  // namespace skiff::digits
