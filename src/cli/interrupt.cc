#include "cli/interrupt.h"

#include <exception>

namespace openclip {
namespace {

volatile std::sig_atomic_t interrupted = 0;

}  // namespace

InterruptFlag::InterruptFlag() : exceptions_(std::uncaught_exceptions()) {
  if (sigaction(SIGINT, nullptr, &before_) != 0 || before_.sa_handler == SIG_IGN) return;
  interrupted = 0;
  struct sigaction action {};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = SA_RESETHAND;
  installed_ = sigaction(SIGINT, &action, nullptr) == 0;
}

InterruptFlag::~InterruptFlag() {
  if (!installed_) return;
  sigaction(SIGINT, &before_, nullptr);
  if (raised() && std::uncaught_exceptions() == exceptions_) std::raise(SIGINT);
}

bool InterruptFlag::raised() const { return interrupted != 0; }

}  // namespace openclip
