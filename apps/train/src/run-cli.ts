/** Runs the command line: output, errors in one line. Exit status 0: done, 1: failed, 2: wrong usage or configuration, 130: interrupted. */
import { CommanderError } from 'commander';
import { createCommandLine } from './command-line';

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
    console.error(describeError(error));
    return exitStatus(error);
  }
}

const onClosedPipe = (error: NodeJS.ErrnoException): never => process.exit(error.code === 'EPIPE' ? 0 : 1);

function exitStatus(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'interrupted') return 130;
  return code === 'config' || code === 'usage' ? 2 : 1;
}

/** One clear line for what the packages and the system report; the stack too for anything else under `FRANCA_DEBUG`. */
export function describeError(error: unknown): string {
  if (process.env.FRANCA_DEBUG) return error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (!(error instanceof Error)) return `franca-train: ${String(error)}`;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  const expected = code !== undefined && !code.startsWith('ERR_');
  return expected
    ? `franca-train: ${error.message}`
    : `franca-train: unexpected ${error.name}: ${error.message} (FRANCA_DEBUG=1 shows where)`;
}

/** `--resume` may stand alone: without this it would take the override that follows it for its value. */
const spellOutResume = (arg: string, at: number, args: readonly string[]): string =>
  arg === '--resume' && args[at + 1] !== 'auto' ? '--resume=always' : arg;
