// The command line as a whole. Rank 7.
#pragma once

namespace openclip {

/// Parses the arguments, runs the subcommand and turns whatever goes wrong into one line on stderr.
/// Returns the exit code: 0 done, 1 failed, 2 wrong usage.
int run_cli(int argc, char** argv);

}  // namespace openclip
