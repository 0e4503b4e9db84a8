/** The command line, assembled from the files of `commands/`: each exports `register`, which adds its command. */
import { readdirSync } from 'node:fs';
import { Command } from 'commander';

/** What a file of `commands/` exports. */
export interface CommandModule {
  register(program: Command): void;
}

const folder = new URL('./commands/', import.meta.url);

/** The program with all its commands, in the order of their file names. */
export async function createCommandLine(): Promise<Command> {
  const program = new Command('franca-train')
    .description('Self-supervised pretraining of Vision Transformers (Franca) on any GPU')
    .showHelpAfterError('(--help shows what there is)')
    .helpCommand('help [command]', 'show the help of a command')
    .exitOverride();
  const files = readdirSync(folder).filter((name) => /^[\w-]+\.(ts|js)$/.test(name));
  for (const file of files.sort()) {
    const { register } = (await import(new URL(file, folder).href)) as CommandModule;
    register(program);
  }
  return program;
}

/** Help text with one command a line, its purpose behind it. */
export function examples(lines: readonly (readonly [command: string, purpose: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length));
  return `\nExamples:\n${lines.map(([command, purpose]) => `  ${command.padEnd(width)}  ${purpose}`).join('\n')}`;
}
