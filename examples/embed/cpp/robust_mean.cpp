// A robust mean of numbers on standard input, from C++: the minimum of the mean Huber loss, by gradient descent that
// starts at the median. A step of 1 never overshoots, as the mean loss bends by at most 1 / rho, and that is 1.
//
//     c++ -std=c++20 $(python -m closs --cflags) robust_mean.cpp $(python -m closs --libs) -o robust_mean
//     printf '1 2 3 1000' | ./robust_mean
//
// The one function that C++ wants: spans in, the value out, an exception where C has a status.
#include <closs/closs.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

double huber_mean(std::span<const double> pred, std::span<const double> label, std::span<double> grad, double rho) {
    if (pred.size() != label.size() || pred.size() != grad.size()) throw std::invalid_argument("lengths differ");
    double mean = 0;
    closs_elementwise_f64 args{};  // all zero: whatever is not set below is absent
    args.batch = static_cast<int64_t>(pred.size());
    args.inner = 1;
    args.pred = pred.data();
    args.label = label.data();
    args.reduction = CLOSS_MEAN;
    args.total = &mean;
    args.grad = grad.data();
    if (const closs_status status = closs_huber_f64(&args, rho)) throw std::runtime_error(closs_status_string(status));
    return mean;
}

std::vector<double> read_numbers(std::istream &in) {
    std::vector<double> numbers;
    for (std::string word; in >> word;) {
        char *end;
        numbers.push_back(std::strtod(word.c_str(), &end));
        if (*end || !std::isfinite(numbers.back())) throw std::invalid_argument("not a finite number: " + word);
    }
    if (numbers.empty()) throw std::invalid_argument("no numbers on standard input");
    return numbers;
}

double median(std::vector<double> numbers) {
    std::sort(numbers.begin(), numbers.end());
    return std::midpoint(numbers[(numbers.size() - 1) / 2], numbers[numbers.size() / 2]);
}

}  // namespace

int main() try {
    const std::vector<double> numbers = read_numbers(std::cin);
    std::vector<double> centre(numbers.size()), grad(numbers.size());
    double place = median(numbers), loss = 0, slope = 1;
    for (int step = 0; step < 10000 && std::abs(slope) > 1e-12; step++) {
        centre.assign(numbers.size(), place);
        loss = huber_mean(centre, numbers, grad, 1.0);
        slope = std::accumulate(grad.begin(), grad.end(), 0.0);
        place -= slope;
    }
    if (!(std::abs(slope) <= 1e-12)) throw std::runtime_error("no minimum found, slope " + std::to_string(slope));
    if (!std::isfinite(loss)) throw std::runtime_error("the loss is not finite");
    std::cout << std::setprecision(12) << "robust mean " << place << ", loss " << loss << '\n';
} catch (const std::exception &error) {
    std::cerr << "robust_mean: " << error.what() << '\n';
    return 1;
}
