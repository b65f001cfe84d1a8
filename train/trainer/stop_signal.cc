#include "trainer/stop_signal.h"

#include <signal.h>

#include <initializer_list>

namespace openclip::train {
namespace {

volatile sig_atomic_t g_requested = 0;  // a handler may touch nothing else

void request_stop_on(int) { g_requested = 1; }

void handle(void (*handler)(int), int flags) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int number : {SIGINT, SIGTERM}) sigaction(number, &action, nullptr);
}

}  // namespace

StopSignal::StopSignal() {
  g_requested = 0;
  handle(request_stop_on, static_cast<int>(SA_RESETHAND) | SA_RESTART);
}

StopSignal::~StopSignal() { handle(SIG_DFL, 0); }

bool StopSignal::requested() const { return g_requested != 0; }

}  // namespace openclip::train
