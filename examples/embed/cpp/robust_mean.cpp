// A robust mean of numbers on standard input, from C++: the minimum of the mean Huber loss, by gradient descent.
//
//     c++ -std=c++20 $(python -m closs --cflags) robust_mean.cpp $(python -m closs --libs) -o robust_mean
//     printf '1 2 3 1000' | ./robust_mean
//
// The one function that C++ wants: spans in, the value out, an exception where C has a status.
#include <closs/closs.h>

#include <cmath>
#include <cstdlib>
#include <iostream>
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

}  // namespace

int main() try {
    const std::vector<double> numbers = read_numbers(std::cin);
    std::vector<double> centre(numbers.size()), grad(numbers.size());
    double place = 0, loss = 0;
    for (int step = 0; step < 2000; step++) {
        centre.assign(numbers.size(), place);
        loss = huber_mean(centre, numbers, grad, 1.0);
        for (const double slope : grad) place -= slope;
    }
    std::cout << "robust mean " << place << ", loss " << loss << '\n';
} catch (const std::exception &error) {
    std::cerr << "robust_mean: " << error.what() << '\n';
    return 1;
}
