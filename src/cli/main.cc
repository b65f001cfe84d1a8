// openclip: CLIP models on the command line.
#include "cli/app.h"

int main(int argc, char** argv) { return openclip::run_cli(argc, argv); }
