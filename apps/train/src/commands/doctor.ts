/** `franca-train doctor`: what this machine computes with, and what fits. */
import type { Command } from 'commander';
import { examples } from '../command-line';

interface Options {
  readonly measure?: true;
  readonly adapter?: string;
}

/** Adds the command. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('show adapter, limits, features and memory, and which preset fits')
    .option('--measure', 'measure the adapter for a few seconds; `plan` then states expected times')
    .option(
      '--adapter <name>',
      "auto, gpu, gpu:1 (the second), software, or part of an adapter's name (default: FRANCA_ADAPTER, else auto)",
    )
    .addHelpText(
      'after',
      examples([
        ['franca-train doctor', 'what is there'],
        ['franca-train doctor --measure', 'and how fast it is'],
        ['franca-train doctor --adapter software', 'the processor, where there is a GPU too'],
      ]),
    )
    .action(async (options: Options) => {
      const { diagnose } = await import('../doctor/diagnose');
      for (const line of await diagnose(options)) console.log(line);
    });
}
