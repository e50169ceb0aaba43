#include "tools/digits/glyph.h"

namespace skiff::digits {
namespace {

// Draws with a slightly unsteady hand: every given corner and radius moves a bit.
class Pen {
 public:
    explicit Pen(Random& random) : random_(random) {}

    Pen& down() {
        strokes_.emplace_back();
        return *this;
    }
    // Straight to a corner, in steps short enough to be bent later.
    Pen& to(double x, double y) {
        const Point end{x + shake(), y + shake()};
        Stroke& stroke = strokes_.back();
        if (stroke.empty()) {
            stroke.push_back(end);
            return *this;
        }
        const Point start = stroke.back();
        for (int i = 1; i <= line_steps; ++i) {
            const double t = static_cast<double>(i) / line_steps;
            stroke.push_back({start.x + (end.x - start.x) * t, start.y + (end.y - start.y) * t});
        }
        return *this;
    }
    // Along an ellipse; degrees run clockwise from "right", since y points down.
    Pen& arc(double x, double y, double radius_x, double radius_y, double from, double to) {
        radius_x += shake();
        radius_y += shake();
        const int steps = 3 + static_cast<int>((to > from ? to - from : from - to) / 24);
        for (int i = 0; i <= steps; ++i) {
            const double angle = (from + (to - from) * i / steps) * pi / 180;
            strokes_.back().push_back(
                {x + radius_x * portable_cos(angle), y + radius_y * portable_sin(angle)});
        }
        return *this;
    }
    std::vector<Stroke> take() { return std::move(strokes_); }

 private:
    static constexpr int line_steps = 5;
    double shake() { return random_.uniform(-0.07, 0.07); }

    Random& random_;
    std::vector<Stroke> strokes_;
};

void draw_one(Pen& pen, Random& random) {
    pen.down();
    if (random.chance(0.5)) pen.to(-0.4, -0.5);
    pen.to(0, -0.95).to(0, 0.95);
    if (random.chance(0.25)) pen.down().to(-0.4, 0.95).to(0.4, 0.95);
}

void draw_four(Pen& pen, Random& random) {
    const bool open = random.chance(0.6);
    pen.down().to(open ? -0.25 : 0.25, -0.95).to(-0.6, 0.25).to(0.65, 0.25);
    pen.down().to(0.25, open ? random.uniform(-0.7, -0.2) : -0.95).to(0.25, 0.95);
}

void draw_seven(Pen& pen, Random& random) {
    pen.down().to(-0.55, -0.95).to(0.55, -0.95).to(random.uniform(-0.25, 0.1), 0.95);
    if (random.chance(0.35)) pen.down().to(-0.2, 0).to(0.45, 0);
}

void draw_nine(Pen& pen, Random& random) {
    pen.down().arc(0, -0.42, 0.5, 0.5, 0, 360);
    if (random.chance(0.5))
        pen.to(random.uniform(0.2, 0.5), 0.95);
    else
        pen.arc(-0.45, -0.35, 0.95, 1.27, 0, 80);
}

}  // namespace

std::vector<Stroke> glyph(int digit, Random& random) {
    Pen pen(random);
    switch (digit) {
        case 0:
            pen.down().arc(0, 0, random.uniform(0.45, 0.75), 0.95, -90, 270);
            break;
        case 1:
            draw_one(pen, random);
            break;
        case 2:
            pen.down().arc(0, -0.45, 0.52, 0.5, 195, 390).to(-0.55, 0.92).to(0.6, 0.92);
            break;
        case 3:
            pen.down().arc(-0.05, -0.47, 0.5, 0.46, 205, 445);
            pen.arc(-0.05, 0.47, 0.6, 0.47, 275, 510);
            break;
        case 4:
            draw_four(pen, random);
            break;
        case 5:
            pen.down().to(0.5, -0.95).to(-0.4, -0.95).to(-0.45, -0.05);
            pen.arc(0, 0.37, 0.56, 0.55, 220, 505);
            break;
        case 6:
            pen.down().arc(0.45, 0.35, 0.97, 1.27, 265, 180).arc(0, 0.42, 0.52, 0.5, 180, -180);
            break;
        case 7:
            draw_seven(pen, random);
            break;
        case 8:
            pen.down().arc(0, -0.47, 0.45, 0.46, 90, 450);
            pen.arc(0, 0.47, 0.55, 0.47, -90, 270);
            break;
        default:
            draw_nine(pen, random);
            break;
    }
    return pen.take();
}

}  // namespace skiff::digits
