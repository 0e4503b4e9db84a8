/** An export: a folder with the model under the names of a format, its ONNX graphs, its card and the log of its run, checked before it appears under its name. */
import { copyFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { writeSafetensors } from '@franca/checkpoint';
import { toOfficial } from '@franca/rasa';
import { type Gpu, sizeOf } from '@franca/tensor';
import { openGpu } from '@franca/tensor/node';
import { FINAL_LAYER } from '@franca/vit';
import { writeFigure } from '@franca/viz/node';
import { TrainError } from '../errors';
import { RASA_HEADS } from '../features/find-weights';
import { openWeights } from '../features/open-weights';
import type { WeightOptions, Weights } from '../features/weights';
import { curves } from '../observe/report';
import { CURVES } from '../observe/report-texts';
import { amountOfBytes } from '../text/amounts';
import { type CardInput, modelCard } from './card';
import { checkOnnx, type OnnxDifference, poorPatches, refuseWrong } from './check-onnx';
import { checkTensors, type ExportFormat } from './check-tensors';
import { huggingFaceFile, preprocessorConfig } from './hugging-face-names';
import { type ModelFile, writeModelFile } from './model-file';
import { checkNewFolder, writeNewFolder } from './new-folder';
import { officialFile } from './official-names';
import { externalData, type OnnxFile, writeOnnxFiles } from './onnx-files';
import { findOnnxRuntime, INSTALL_ONNX } from './onnx-runtime';
import type { OnnxType } from './onnx-types';
import { LOG_FILES, type RunFacts, runFacts } from './run-facts';
import { timmFile } from './timm-names';

export interface ExportOptions extends WeightOptions {
  readonly weights: string;
  /** The folder to make. */
  readonly to: string;
  readonly format: ExportFormat;
  readonly onnx: readonly OnnxType[];
  readonly adapter?: string;
}

/**
 * Writes the folder; `say` hears what was done.
 * @throws TrainError `file` where something is in its place; `usage` where the format cannot hold the model; `run` where a check fails, and then nothing is written
 */
export async function exportModel(options: ExportOptions, say: (line: string) => void): Promise<void> {
  const { to, format, onnx } = options;
  await checkNewFolder(to);
  await using weights = await openWeights(options.weights, options);
  if (weights.outputAlone)
    throw new TrainError(
      'usage',
      `${weights.file} is ONNX, which is what others load already; export is for the weights that it was made of`,
    );
  const model = await fileOf(format, weights);
  const facts = await runFacts(options.weights);
  for (const note of [...weights.notes, ...model.notes]) say(`note: ${note}`);
  const runtime = onnx.length > 0 ? await findOnnxRuntime() : undefined;
  const differences = await writeNewFolder(to, async (folder) => {
    const file = join(folder, 'model.safetensors');
    const bytes = await writeModelFile(file, model);
    const compared = await checkTensors(file, format, { model, weights });
    say(`model.safetensors: ${amountOfBytes(bytes)}, ${compared} tensors read back and equal bit for bit`);
    if (format === 'hf') await writeJson(join(folder, 'preprocessor_config.json'), preprocessorConfig(weights.config));
    await writeRasaOf(folder, format, weights);
    const files = await writeOnnxFiles(folder, weights, onnx);
    if (model.config) await writeJson(join(folder, 'config.json'), { ...model.config, ...externalData(files) });
    const found =
      runtime && (await onGpu(options.adapter, (gpu) => checkOnnx(folder, files, { weights, gpu, open: runtime })));
    if (found) refuseWrong(found);
    await writeCard(folder, { ...options, weights, model, facts, files, found });
    return found;
  });
  for (const line of onnxLines(onnx, differences)) say(line);
  for (const note of poorPatches(differences ?? [])) say(`note: ${note}`);
  if (facts)
    say(`${LOG_FILES.join(' and ')} are copies of those of ${facts.folder}; paths of this machine stand in them`);
  say(`wrote ${to}; its README.md has fields to fill in`);
}

async function fileOf(format: ExportFormat, weights: Weights): Promise<ModelFile> {
  if (format === 'hf') return huggingFaceFile(weights);
  return format === 'timm' ? timmFile(weights) : officialFile(weights);
}

const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

async function onGpu<T>(adapter: string | undefined, work: (gpu: Gpu) => Promise<T>): Promise<T> {
  const gpu = await openGpu(adapter === undefined ? {} : { adapter });
  try {
    return await work(gpu);
  } finally {
    gpu.dispose();
  }
}

/** What the architecture of the format has no place for: planes, or a folded layer. */
async function writeRasaOf(folder: string, format: ExportFormat, { rasa, config }: Weights): Promise<void> {
  const { planes, folded, fittedAt } = rasa;
  const D = config.embedDim;
  if (planes.length > 0) {
    const heads = Object.entries(toOfficial(planes)).map(
      ([name, data]) => ({ name, dtype: 'f32', shape: [2, D], data }) as const,
    );
    await writeSafetensors(
      join(folder, RASA_HEADS),
      heads,
      fittedAt === undefined ? {} : { 'rasa.size': `${fittedAt}` },
    );
  }
  if (!folded || format !== 'hf') return;
  const layer = [
    { name: FINAL_LAYER.weight, dtype: 'f32', shape: [D, D], data: Float32Array.from(folded.weight) },
    { name: FINAL_LAYER.bias, dtype: 'f32', shape: [D], data: Float32Array.from(folded.bias) },
  ] as const;
  await writeSafetensors(join(folder, 'rasa_layer.safetensors'), layer);
}

interface Written extends Pick<ExportOptions, 'to' | 'format'> {
  readonly weights: Weights;
  readonly model: ModelFile;
  readonly facts: RunFacts | undefined;
  readonly files: readonly OnnxFile[];
  readonly found: readonly OnnxDifference[] | undefined;
}

async function writeCard(folder: string, { to, format, weights, model, facts, files, found }: Written): Promise<void> {
  const figures = facts ? await writeFigures(folder, facts) : [];
  if (facts) for (const name of LOG_FILES) await copyIfThere(join(facts.folder, name), join(folder, name));
  const input: CardInput = {
    name: basename(resolve(to)),
    format,
    weights,
    facts,
    figures,
    parameters: model.tensors.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    onnx: files,
    differences: found,
    notes: [...model.notes, ...poorPatches(found ?? [])],
  };
  await writeFile(join(folder, 'README.md'), modelCard(input));
}

/** Accuracy and loss over the steps, as far as there are any. */
async function writeFigures(folder: string, { metrics }: RunFacts): Promise<string[]> {
  const written: string[] = [];
  for (const [name, text] of [
    ['knn', CURVES[0]!],
    ['loss', CURVES[1]!],
  ] as const)
    for (const { figure } of curves(metrics, [text])) {
      await writeFigure(join(folder, `${name}.png`), figure);
      written.push(`${name}.png`);
    }
  return written;
}

const copyIfThere = (from: string, to: string): Promise<void> =>
  copyFile(from, to).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });

function onnxLines(asked: readonly OnnxType[], differences: readonly OnnxDifference[] | undefined): string[] {
  if (asked.length === 0) return [];
  if (!differences) return [`the ONNX files were not checked: onnxruntime-node is not installed; ${INSTALL_ONNX}`];
  return [...new Set(differences.map(({ file }) => file))].map((file) => {
    const of = (output: string) => differences.filter((one) => one.file === file && one.output === output);
    const [cls, patches] = [of('pooler_output'), of('patch_tokens')];
    const sizes = cls.map(({ size }) => size.join(' x ')).join(' and ');
    return `${file}: beside the engine at ${sizes} px, CLS ${inShort(cls)}; patches ${inShort(patches)}`;
  });
}

const least = (values: readonly number[]): number => Math.min(...values);

const inShort = (of: readonly OnnxDifference[]): string => {
  const [difference, largest] = [of.map((one) => one.difference), of.map((one) => one.largest)].map((all) =>
    Math.max(...all),
  );
  const [cosine, mean] = [of.map((one) => one.cosine), of.map((one) => one.meanCosine)].map(least);
  return `off by ${difference!.toExponential(1)} at most (values up to ${largest!.toFixed(1)}), cosine ${mean!.toFixed(6)} on average, ${cosine!.toFixed(6)} at least`;
};
