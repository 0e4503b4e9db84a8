/** How this program is called where it was started: what every printed command begins with. */
import { dirname, join, relative, sep } from 'node:path';
import { shellCommand } from './shell';

/** What tells how a process was started. */
export interface Started {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Node, then the file that it runs. */
  readonly argv: readonly string[];
}

/** Set by the set-up of a clone for what it runs, which needs its environment the next time too. */
const IN_CLONE = 'FRANCA_SETUP_DONE';

/** Set by the launcher of an offline bundle: how it was called. */
const LAUNCHER = 'FRANCA_PROGRAM';

/** Where npm puts the programs of what is installed in a folder. */
const LOCAL_BIN = join(sep, 'node_modules', '.bin', sep);

/** The words that start the program as this process was: as a bundle, an installed command, through npx, from a clone, or as a file. */
export function programWords({ env, argv }: Started = process): readonly string[] {
  const launcher = env[LAUNCHER];
  if (launcher) return [launcher];
  const file = argv[1] ?? '';
  const isInstalled = !/\.c?[jt]s$/.test(file) || file.split(sep).includes('node_modules');
  if (isInstalled && env.npm_command === 'exec') return ['npx', 'franca-train'];
  // not found by its name alone
  if (file.includes(LOCAL_BIN)) return [relative(process.cwd(), file)];
  if (isInstalled) return ['franca-train'];
  return env[IN_CLONE] ? cloneWords(file) : ['node', relative(process.cwd(), file)];
}

/** npm knows the clone in its own folder only. */
function cloneWords(file: string): readonly string[] {
  const script = relative(process.cwd(), join(dirname(file), '../../../scripts/franca.mjs'));
  return script === join('scripts', 'franca.mjs') ? ['npm', 'run', 'franca', '--'] : ['node', script];
}

/** A command of this program, to be pasted into the shell that it was started from. */
export const programCommand = (words: readonly string[], started?: Started): string =>
  shellCommand([...programWords(started), ...words]);
