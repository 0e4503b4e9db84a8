/** The command line, assembled from the files of `commands/`: each exports `register`, which adds its command. */
import { Command } from 'commander';
import { modulesIn } from './module-folder';
import { ownVersion } from './own-version';
import { isFirstStarted, refuseLaunch } from './ranks/refuse-launch';

/** What a file of `commands/` exports. */
export interface CommandModule {
  register(program: Command): void | Promise<void>;
}

/** The program with all its commands, in the order of their file names. */
export async function createCommandLine(): Promise<Command> {
  const program = new Command('franca-train')
    .description('Self-supervised pretraining of Vision Transformers (Franca) on any GPU')
    .version(ownVersion(), '--version', 'show the version')
    .showHelpAfterError('(--help shows what there is)')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride()
    // what this says of an argument, it says on every rank
    .configureOutput(isFirstStarted() ? {} : { writeOut: () => {}, writeErr: () => {} })
    .hook('preAction', (_, command) => refuseLaunch(pathOf(command)));
  for (const { register } of await modulesIn<CommandModule>('commands')) await register(program);
  return program;
}

/** `eval knn`, without the program's own name. */
const pathOf = (command: Command): string =>
  command.parent?.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();

/** Help text with one command a line, its purpose behind it. */
export function examples(lines: readonly (readonly [command: string, purpose: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`).join('\n')}`;
}
