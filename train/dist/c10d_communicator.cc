#include "dist/c10d_communicator.h"

#include <c10/util/Exception.h>

#include <algorithm>
#include <stdexcept>

#include "base/error.h"

namespace openclip::train {
namespace {

using Work = c10::intrusive_ptr<c10d::Work>;

// Whatever a backend throws here means that a peer, or the way to it, is gone.
template <class Call>
auto reaching_peers(const Call& call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw Error(fmt::format("lost another process of the job: {}", error.what_without_backtrace()));
  } catch (const std::runtime_error& error) {
    throw Error(fmt::format("lost another process of the job: {}", error.what()));
  }
}

void finish(const Work& work) {
  reaching_peers([&] { return work->wait(); });
}

class WorkPending : public Pending {
 public:
  WorkPending(Work work, at::Tensor tensor) : work_(std::move(work)), tensor_(std::move(tensor)) {}
  void wait() override { finish(work_); }

 private:
  Work work_;
  at::Tensor tensor_;  // lives as long as the work
};

std::vector<at::Tensor> gather_equal(c10d::Backend& backend, const at::Tensor& own) {
  std::vector<std::vector<at::Tensor>> all(1);
  for (int i = 0; i < backend.getSize(); ++i) all[0].push_back(at::empty_like(own));
  std::vector<at::Tensor> input = {own};
  finish(reaching_peers([&] { return backend.allgather(all, input); }));
  return all[0];
}

}  // namespace

GatheredRows C10dCommunicator::gather_rows(const at::Tensor& rows) {
  const int64_t own = rows.size(0);
  std::vector<int64_t> counts;
  for (const at::Tensor& count :
       gather_equal(*backend_, at::full({1}, own, rows.options().dtype(at::kLong))))
    counts.push_back(count.item<int64_t>());
  const int64_t longest = *std::max_element(counts.begin(), counts.end());
  at::Tensor padded = rows.detach().contiguous();
  if (own < longest) {
    std::vector<int64_t> shape = rows.sizes().vec();
    shape[0] = longest;
    padded = at::zeros(shape, rows.options());
    padded.slice(0, 0, own).copy_(rows.detach());
  }
  std::vector<at::Tensor> all = gather_equal(*backend_, padded);
  GatheredRows gathered;
  for (int i = 0; i < size(); ++i) {
    if (i < rank()) gathered.first += counts[i];
    all[i] = all[i].slice(0, 0, counts[i]);
  }
  gathered.rows = at::cat(all);
  return gathered;
}

std::unique_ptr<Pending> C10dCommunicator::all_reduce_async(at::Tensor tensor) {
  std::vector<at::Tensor> tensors = {tensor};
  return std::make_unique<WorkPending>(reaching_peers([&] { return backend_->allreduce(tensors); }),
                                       tensor);
}

void C10dCommunicator::broadcast(at::Tensor tensor, int root) {
  std::vector<at::Tensor> tensors = {tensor.contiguous()};
  c10d::BroadcastOptions options;
  options.rootRank = root;
  finish(reaching_peers([&] { return backend_->broadcast(tensors, options); }));
  if (!tensor.is_contiguous()) tensor.copy_(tensors[0]);
}

at::Tensor C10dCommunicator::exchange(const at::Tensor& out, at::Tensor in) {
  const int next = (rank() + 1) % size(), previous = (rank() + size() - 1) % size();
  std::vector<at::Tensor> outgoing = {out.contiguous()}, incoming = {in};
  reaching_peers([&] {
    const bool grouped = backend_->supportsCoalescing();  // NCCL pairs them, or both wait for ever
    if (grouped) backend_->startCoalescing();
    const Work sent = backend_->send(outgoing, next, /*tag=*/0);
    const Work received = backend_->recv(incoming, previous, /*tag=*/0);
    if (grouped) return backend_->endCoalescing()->wait();
    return sent->wait() && received->wait();
  });
  return in;
}

std::vector<at::Tensor> C10dCommunicator::shift(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> result;
  const auto options = tensors[0].options().dtype(at::kLong);
  const int64_t rows =
      exchange(at::full({1}, tensors[0].size(0), options), at::empty({1}, options)).item<int64_t>();
  for (const at::Tensor& tensor : tensors) {
    std::vector<int64_t> shape = tensor.sizes().vec();
    shape[0] = rows;
    result.push_back(exchange(tensor, at::empty(shape, tensor.options())));
  }
  return result;
}

}  // namespace openclip::train
