/** `franca-train export`: a model as other programs load it, with ONNX graphs and a model card. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import { examples } from '../command-line';
import type { ExportFormat } from '../export/check-tensors';
import type { ExportOptions } from '../export/export-model';
import { ONNX_TYPES, type OnnxType } from '../export/onnx-types';
import { withModelOptions } from '../features/model-options';

interface Options extends Omit<ExportOptions, 'onnx'> {
  readonly onnx?: readonly OnnxType[];
}

/** Adds the command. */
export function register(program: Command): void {
  withModelOptions(
    program
      .command('export')
      .description('write a model as other programs load it: transformers, transformers.js, onnxruntime, timm')
      .requiredOption(
        '-w, --weights <file or folder>',
        'the folder of a run or of an import, a checkpoint (.safetensors, .pth; official, timm, Hugging Face or own names), hf://owner/name, or a published name',
      ),
  )
    .requiredOption('--to <folder>', 'folder to make; one that has anything in it is refused')
    .addOption(
      new Option('--format <format>', 'hf: Dinov2Model; official, timm: safetensors with these names')
        .choices(['hf', 'official', 'timm'] satisfies ExportFormat[])
        .default('hf'),
    )
    .option(
      '--onnx <types>',
      `ONNX files too: ${ONNX_TYPES.join(',')}, or none (default: all with --format hf, else none)`,
      onnxTypes,
    )
    .option('--rasa <file>', 'RASA heads to keep with the model; none: leave out those of the weights and of their run')
    .option('--adapter <name>', 'where the ONNX files are compared: auto, gpu, software, or part of a name')
    .addHelpText(
      'after',
      examples([
        ['franca-train export -w run --to flowers-vit', 'a Hugging Face folder with ONNX files and a model card'],
        ['franca-train export -w run --to timm --format timm', 'one safetensors for timm'],
        ['franca-train export -w vitb14.pth --to vitb14 --onnx fp32', 'one ONNX file'],
      ]),
    )
    .action(async (options: Options) => {
      const { exportModel } = await import('../export/export-model');
      const { onnx = options.format === 'hf' ? ONNX_TYPES : [] } = options;
      await exportModel({ ...options, onnx }, console.log);
    });
}

function onnxTypes(text: string): readonly OnnxType[] {
  if (text === 'none') return [];
  return [...new Set(text.split(','))].map((name) => {
    const type = ONNX_TYPES.find((known) => known === name);
    if (!type) throw new InvalidArgumentError(`expected ${ONNX_TYPES.join(', ')}, or none`);
    return type;
  });
}
