/** The program: runs its arguments and ends with their exit status. It is started by `bin/franca-train.cjs`. */
import { runCli } from './run-cli';

process.exitCode = await runCli(process.argv.slice(2));
