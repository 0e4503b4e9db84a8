/** Runs the command line: output, errors in one line. Exit status 0: done, 1: failed, 2: wrong usage or configuration, 130: interrupted. */
import { CommanderError } from 'commander';
import { createCommandLine } from './command-line';
import { wasTold } from './ranks/known-to-all';
import { errorText, exitStatus } from './text/error-text';

/** Runs `args` as the command line does and resolves to the exit status. */
export async function runCli(args: readonly string[]): Promise<number> {
  // a reader that has seen enough, such as `head`, is no failure
  process.stdout.off('error', onClosedPipe).once('error', onClosedPipe);
  try {
    const program = await createCommandLine();
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args.map(spellOutResume), { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!wasTold(error)) console.error(describeError(error));
    return exitStatus(error);
  }
}

const onClosedPipe = (error: NodeJS.ErrnoException): never => process.exit(error.code === 'EPIPE' ? 0 : 1);

/** What is printed of an error. */
export const describeError = (error: unknown): string => `franca-train: ${errorText(error)}`;

/** `--resume` may stand alone: without this it would take the override that follows it for its value. */
const spellOutResume = (arg: string, at: number, args: readonly string[]): string =>
  arg === '--resume' && args[at + 1] !== 'auto' ? '--resume=always' : arg;
