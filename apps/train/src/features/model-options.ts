/** Options that say what a file of weights does not: which network of it, attention heads, how positions are resampled, what the outputs of an ONNX file are. */
import type { OutputNames } from '@franca/onnx';
import { type Command, InvalidArgumentError } from 'commander';
import { positiveInteger } from '../options/option-values';

/** Adds them. Where they are not given the file's own configuration counts, else what is usual for its width. */
export const withModelOptions = (command: Command): Command =>
  command
    .option(
      '--network <name>',
      'which network of a file that holds several, by the name of its section: teacher, student, model_ema, ... (default: the teacher, else the weights as trained, else their average)',
    )
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
    .option('--no-interpolate-antialias', 'resample positions without')
    .option(
      '--outputs <list>',
      'of an ONNX file: cls=<name>,patches=<name>, or one of them (default: found by name and shape)',
      parseOutputs,
    )
    .option('--patch-size <px>', 'of an ONNX file, or features from files, where they leave it open', positiveInteger)
    .option('--provider <name>', 'of an ONNX file: cpu, webgpu, cuda, ... (default: cpu)');

function parseOutputs(text: string): OutputNames {
  const parts = text.split(',').map((part) => part.split('='));
  const kinds = parts.map(([kind]) => kind);
  const isFit = ([kind, name, ...more]: readonly string[]): boolean =>
    (kind === 'cls' || kind === 'patches') && Boolean(name) && more.length === 0;
  if (!parts.every(isFit) || new Set(kinds).size < kinds.length)
    throw new InvalidArgumentError('expected cls=<name>,patches=<name>, or one of them');
  return Object.fromEntries(parts) as OutputNames;
}

function parseOffset(text: string): number {
  const offset = Number(text);
  if (text.trim() === '' || !(offset >= 0 && offset < 1))
    throw new InvalidArgumentError('expected a number from 0, below 1');
  return offset;
}
