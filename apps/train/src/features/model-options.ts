/** Options that say what a file of weights does not: which network of it, attention heads, how positions are resampled. */
import { type Command, InvalidArgumentError } from 'commander';
import { positiveInteger } from '../options/option-values';

/** Adds them. Where they are not given the file's own configuration counts, else what is usual for its width. */
export const withModelOptions = (command: Command): Command =>
  command
    .option('--network <name>', 'teacher or student, where the file has both (default: teacher)', parseNetwork)
    .option(
      '--heads <n>',
      'attention heads (default: as the weights say, else those of the published ViT of that width)',
      positiveInteger,
    )
    .option(
      '--interpolate-offset <x>',
      'offset of resampled positions (default: as the weights say, else 0.1; 0 with registers)',
      parseOffset,
    )
    .option(
      '--interpolate-antialias',
      'resample positions antialiased (default: as the weights say, else with registers)',
    )
    .option('--no-interpolate-antialias', 'resample positions without');

function parseNetwork(value: string): 'teacher' | 'student' {
  if (value === 'teacher' || value === 'student') return value;
  throw new InvalidArgumentError('expected teacher or student');
}

function parseOffset(text: string): number {
  const offset = Number(text);
  if (text.trim() === '' || !(offset >= 0 && offset < 1))
    throw new InvalidArgumentError('expected a number from 0, below 1');
  return offset;
}
