// A CUDA device that is none: its memory is the host's, and its operations are the CPU's.
//
// Built as libtorch_cuda.so it takes the place of libtorch's own, so that tests on any machine show
// whether a network keeps to its device. As on a real one, an operation on tensors of several
// devices is refused, unless those on the CPU are single numbers.
#include <ATen/ATen.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/library.h>

#include <optional>
#include <vector>

namespace {

using at::Tensor;
using c10::DispatchKey;
using c10::DispatchKeySet;
using c10::IValue;

// What libtorch asks of the device itself. It looks this class up by its name.
struct CUDAHooks : at::CUDAHooksInterface {
  explicit CUDAHooks(at::CUDAHooksArgs) {}
  void init() const override {}
  bool hasCUDA() const override { return true; }
  bool isAvailable() const override { return true; }
  bool hasPrimaryContext(c10::DeviceIndex) const override { return true; }
  c10::DeviceIndex deviceCount() const override { return 1; }
  c10::DeviceIndex current_device() const override { return 0; }
  int getNumGPUs() const override { return 1; }
};

using at::CUDAHooksRegistry;
using at::RegistererCUDAHooksRegistry;
REGISTER_CUDA_HOOKS(CUDAHooks);

C10_REGISTER_GUARD_IMPL(CUDA, c10::impl::NoOpDeviceGuardImpl<c10::DeviceType::CUDA>);

// The numbers of a tensor, as a tensor of the other device. It keeps the first one alive.
Tensor shown_on(c10::Device device, const Tensor& tensor) {
  const auto& memory = tensor.storage();
  auto* data = const_cast<void*>(memory.data());
  auto release = [](void* kept) { delete static_cast<Tensor*>(kept); };
  auto storage = c10::make_intrusive<c10::StorageImpl>(
      c10::StorageImpl::use_byte_size_t(), memory.nbytes(),
      at::DataPtr(data, new Tensor(tensor), release, device), c10::GetAllocator(c10::kCPU),
      /*resizable=*/true);
  auto key = device.is_cuda() ? DispatchKey::CUDA : DispatchKey::CPU;
  auto shown = at::detail::make_tensor<c10::TensorImpl>(
      std::move(storage), DispatchKeySet(key), tensor.dtype());
  shown.unsafeGetTensorImpl()->set_sizes_and_strides(
      tensor.sizes(), tensor.strides(), tensor.storage_offset());
  return shown;
}

Tensor on_host(const Tensor& tensor) { return shown_on(c10::Device(c10::kCPU), tensor); }

Tensor on_device(const Tensor& tensor) { return shown_on(c10::Device(c10::kCUDA, 0), tensor); }

// The tensors that went into an operation, on the device and as the host sees them.
struct Argument {
  Tensor device;
  Tensor host;
};

using Arguments = std::vector<Argument>;

Tensor taken(const c10::OperatorHandle& op, const Tensor& tensor, Arguments& arguments) {
  if (!tensor.defined()) return tensor;
  if (tensor.is_cpu()) {
    TORCH_CHECK(tensor.dim() == 0, "Expected all tensors to be on the same device, but an argument of ",
                op.operator_name(), " is on the CPU, others are on cuda:0");
    return tensor;
  }
  arguments.push_back({tensor, on_host(tensor)});
  return arguments.back().host;
}

// What came out: a tensor that went in, a view of one, or a new one.
Tensor returned(const Tensor& host, const Arguments& arguments) {
  if (!host.defined()) return host;
  for (const auto& argument : arguments) {
    auto* impl = argument.device.unsafeGetTensorImpl();
    if (host.is_same(argument.host)) {
      const bool is_moved = host.storage().data() != argument.device.storage().data();
      if (is_moved) impl->set_storage_keep_dtype(c10::Storage(on_device(host).storage()));
      impl->set_sizes_and_strides(host.sizes(), host.strides(), host.storage_offset());
      return argument.device;
    }
    if (host.storage().is_alias_of(argument.host.storage())) {
      auto view = at::detail::make_tensor<c10::TensorImpl>(
          c10::Storage(argument.device.storage()), DispatchKeySet(DispatchKey::CUDA), host.dtype());
      view.unsafeGetTensorImpl()->set_sizes_and_strides(
          host.sizes(), host.strides(), host.storage_offset());
      return view;
    }
  }
  return on_device(host);
}

// Any operation, done by the CPU.
void operate(const c10::OperatorHandle& op, torch::jit::Stack* stack) {
  Arguments arguments;
  const auto first = stack->size() - op.schema().arguments().size();
  for (auto index = first; index < stack->size(); ++index) {
    auto& value = (*stack)[index];
    if (value.isTensor()) {
      value = taken(op, value.toTensor(), arguments);
    } else if (value.isTensorList()) {
      std::vector<Tensor> hosts;
      for (const Tensor& tensor : value.toTensorVector())
        hosts.push_back(taken(op, tensor, arguments));
      value = IValue(c10::List<Tensor>(hosts));
    } else if (value.isOptionalTensorList()) {
      c10::List<std::optional<Tensor>> hosts;
      for (const std::optional<Tensor>& tensor : value.toOptionalTensorVector())
        hosts.push_back(tensor ? std::optional(taken(op, *tensor, arguments)) : std::nullopt);
      value = IValue(hosts);
    } else if (value.isDevice() && value.toDevice().is_cuda()) {
      value = IValue(c10::Device(c10::kCPU));
    }
  }
  op.redispatchBoxed(DispatchKeySet(DispatchKey::CPU), stack);
  for (auto index = first; index < stack->size(); ++index) {
    auto& value = (*stack)[index];
    if (value.isTensor()) {
      value = returned(value.toTensor(), arguments);
    } else if (value.isTensorList()) {
      std::vector<Tensor> results;
      for (const Tensor& host : value.toTensorVector()) results.push_back(returned(host, arguments));
      value = IValue(c10::List<Tensor>(results));
    }
  }
}

// Copies go from any device to any.
Tensor& copy(Tensor& self, const Tensor& source, bool) {
  auto to = self.is_cuda() ? on_host(self) : self;
  to.copy_(source.is_cuda() ? on_host(source) : source);
  return self;
}

// What libtorch has for GPUs alone: a convolution of each channel by itself.
Tensor convolve_depthwise(const Tensor& self, const Tensor& weight, at::IntArrayRef,
                          const std::optional<Tensor>& bias, at::IntArrayRef stride,
                          at::IntArrayRef padding, at::IntArrayRef dilation) {
  TORCH_CHECK(self.is_cuda() && weight.is_cuda() && (!bias || !bias->defined() || bias->is_cuda()),
              "Expected all tensors to be on the same device");
  auto added = bias && bias->defined() ? std::optional(on_host(*bias)) : std::nullopt;
  return on_device(at::conv2d(on_host(self), on_host(weight), added, stride, padding, dilation,
                              /*groups=*/self.size(1)));
}

}  // namespace

TORCH_LIBRARY_IMPL(_, CUDA, library) {
  library.fallback(torch::CppFunction::makeFromBoxedFunction<&operate>());
}

TORCH_LIBRARY_IMPL(aten, CUDA, library) {
  library.impl("copy_", copy);
  library.impl("_conv_depthwise2d", convolve_depthwise);
}
