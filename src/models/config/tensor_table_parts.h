// What the tables of the single towers are made of; only tensor_table*.cc include this. Part of
// rank 4.
#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "models/config/tensor_table.h"

namespace openclip::table {

inline Init constant(double value) { return {Init::Kind::constant, value}; }
inline Init normal(double deviation) { return {Init::Kind::normal, deviation}; }
inline Init uniform(double bound) { return {Init::Kind::uniform, bound}; }

// PyTorch's default of Linear and Conv (kaiming_uniform with a = sqrt(5)): U(±1 / sqrt(fan_in)).
inline Init fan_in(int64_t inputs) { return uniform(1.0 / std::sqrt(static_cast<double>(inputs))); }

/// Collects the tensors of one tower, whose keys start with `prefix`.
class Table {
 public:
  explicit Table(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(const std::string& name, std::vector<int64_t> shape, Init init) {
    specs.push_back({.name = prefix_ + name, .shape = std::move(shape), .init = init});
  }
  void layer_norm(const std::string& name, int64_t width) {
    add(name + ".weight", {width}, constant(1));
    add(name + ".bias", {width}, constant(0));
  }
  void linear(const std::string& name, int64_t out, int64_t in, Init weight, Init bias) {
    add(name + ".weight", {out, in}, weight);
    add(name + ".bias", {out}, bias);
  }
  void batch_norm(const std::string& name, int64_t width, double weight = 1) {
    add(name + ".weight", {width}, constant(weight));
    add(name + ".bias", {width}, constant(0));
    add(name + ".running_mean", {width}, constant(0));
    specs.back().trainable = false;
    add(name + ".running_var", {width}, constant(1));
    specs.back().trainable = false;
    add(name + ".num_batches_tracked", {}, constant(0));
    specs.back().trainable = false;
    specs.back().optional = true;
    specs.back().is_int64 = true;
  }
  void conv(const std::string& name, int64_t out, int64_t in, int64_t kernel) {
    add(name + ".weight", {out, in, kernel, kernel}, fan_in(in * kernel * kernel));
  }

  std::vector<TensorSpec> specs;

 private:
  std::string prefix_;
};

/// ConvNeXt and its head: tensor_table_convnext.cc.
void add_convnext(Table& table, const ModelConfig& config);

/// FastViT and its head: tensor_table_fastvit.cc.
void add_fastvit(Table& table, const ModelConfig& config);

/// RoBERTa and its projection: tensor_table_hf_text.cc.
void add_hf_text(Table& table, const ModelConfig& config);

}  // namespace openclip::table
