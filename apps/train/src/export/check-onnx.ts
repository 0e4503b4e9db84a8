/**
 * Whether ONNX files are the model: each runs on a few pictures of the generated world, at the model's own size and at another that is no square, and every output is
 * compared with the engine's. An f32 graph may differ by rounding and no more; of fewer bits the figures are told.
 */
import { join } from 'node:path';
import { generatedWorld, readImage } from '@franca/data';
import { removePlanes } from '@franca/rasa';
import type { Gpu } from '@franca/tensor';
import { type ImageBatch, loadVit, type VitModel } from '@franca/vit';
import { TrainError } from '../errors';
import { defaultSize, prepare } from '../image-sets/preparation';
import type { ExportedWeights } from './model-file';
import type { OnnxFile } from './onnx-files';
import type { OnnxRuntime, OnnxSession } from './onnx-runtime';
import type { OnnxType } from './onnx-types';

/** How an output of a file differs from the engine's, over all pictures of a size. */
export interface OnnxDifference {
  readonly file: string;
  readonly type: OnnxType;
  /** Rows and columns of the input in pixels. */
  readonly size: readonly [number, number];
  readonly output: string;
  /** Largest difference, and the engine's largest value. */
  readonly difference: number;
  readonly largest: number;
  /** The least cosine of a token with the engine's, and the mean over tokens. */
  readonly cosine: number;
  readonly meanCosine: number;
}

/** Sums of a deep model in another order; a wrong graph is off by hundreds of times that. */
export const TOLERANCE = 5e-4;
const PICTURES = 2;

/** The differences of all files, at two sizes. @throws TrainError `run` where one lacks an output, or has it in another size */
export async function checkOnnx(
  folder: string,
  files: readonly OnnxFile[],
  { weights, gpu, open }: { readonly weights: ExportedWeights; readonly gpu: Gpu; readonly open: OnnxRuntime },
): Promise<OnnxDifference[]> {
  const expected = await expectedOutputs(weights, gpu);
  const differences: OnnxDifference[] = [];
  for (const file of files) {
    const session = await open(join(folder, file.name));
    try {
      for (const one of expected) differences.push(...(await compare(file, session, one)));
    } finally {
      await session.close();
    }
  }
  return differences;
}

/** Below this cosine a token says something else. */
const POOR = 0.9;

/** A sentence for each file whose patches are not what the model gives, as those of eight bits may be. */
export function poorPatches(differences: readonly OnnxDifference[]): string[] {
  const least = new Map<string, number>();
  for (const { file, output, cosine } of differences)
    if (output === 'patch_tokens') least.set(file, Math.min(cosine, least.get(file) ?? 1));
  return [...least]
    .filter(([, cosine]) => !(cosine >= POOR))
    .map(
      ([file, cosine]) =>
        `patches of ${file} are poor, their least cosine with the engine's ${cosine.toFixed(2)}: take another file for them, and this one for CLS`,
    );
}

/** @throws TrainError `run` where an f32 file differs by more than `TOLERANCE` times the largest value */
export function refuseWrong(differences: readonly OnnxDifference[]): void {
  const wrong = differences.find((one) => one.type === 'fp32' && !(one.difference <= TOLERANCE * one.largest));
  if (!wrong) return;
  throw new TrainError(
    'run',
    `${wrong.output} of ${wrong.file} differs from the engine by ${wrong.difference.toExponential(1)} at ${wrong.size.join(' x ')} px, where values reach ${wrong.largest.toFixed(2)}; nothing was written, as this is a bug`,
  );
}

/** What the engine gives for pictures of one size. */
interface Expected {
  readonly images: ImageBatch;
  readonly outputs: ReadonlyMap<string, Float32Array>;
  /** Width of a token. */
  readonly D: number;
}

async function expectedOutputs(weights: ExportedWeights, gpu: Gpu): Promise<Expected[]> {
  const { config, read, rasa } = weights;
  using plain = await loadVit(gpu, { config, weights: read });
  using folded = rasa.folded && (await loadVit(gpu, { config, weights: read }, { finalLayer: rasa.folded }));
  const own = defaultSize(config);
  const { patchSize: P } = config;
  const all: Expected[] = [];
  for (const sides of [[own, own] as const, [own + 2 * P, own + P] as const]) {
    const images = await pictures(sides);
    const outputs = await engineOutputs(images, { plain, folded, weights });
    all.push({ images, outputs, D: config.embedDim });
  }
  return all;
}

interface Engine {
  readonly plain: VitModel;
  /** With a folded RASA, where there is one. */
  readonly folded: VitModel | undefined;
  readonly weights: ExportedWeights;
}

/** All outputs of a graph by name, as the engine gives them. */
async function engineOutputs(
  images: ImageBatch,
  { plain, folded, weights: { config, rasa } }: Engine,
): Promise<ReadonlyMap<string, Float32Array>> {
  const { cls, patches, registers } = await plain.run(images, { patches: true, registers: true });
  const final = folded ? (await folded.run(images, { patches: true })).patches : Float32Array.from(patches);
  removePlanes(final, config.embedDim, rasa.planes);
  const parts = [...(config.classToken === false ? [] : [cls]), registers, patches];
  return new Map([
    ['pooler_output', cls],
    ['patch_tokens', final],
    ['last_hidden_state', joined(parts, images.shape[0])],
  ]);
}

/** Parts [B, ...] of every image one behind the other. */
function joined(parts: readonly Float32Array[], B: number): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (let b = 0; b < B; b++)
    for (const part of parts) {
      const length = part.length / B;
      whole.set(part.subarray(b * length, (b + 1) * length), at);
      at += length;
    }
  return whole;
}

async function compare(
  { name: file, type }: OnnxFile,
  session: OnnxSession,
  { images, outputs, D }: Expected,
): Promise<OnnxDifference[]> {
  const { data, shape } = images;
  const found = await session.run(data, shape);
  return [...outputs].map(([output, wanted]) => {
    const given = found.get(output);
    if (given?.length !== wanted.length)
      throw new TrainError(
        'run',
        `${file} gives ${given?.length ?? 'no'} values of ${output} at ${shape[2]} x ${shape[3]} px, the model ${wanted.length}; nothing was written, as this is a bug`,
      );
    return { file, type, size: [shape[2], shape[3]], output, ...differenceOf(given, wanted, D) };
  });
}

/** Of rows [n, D]; a NaN stays one. */
export function differenceOf(
  given: Float32Array,
  wanted: Float32Array,
  D: number,
): Pick<OnnxDifference, 'difference' | 'largest' | 'cosine' | 'meanCosine'> {
  let [difference, largest, cosine, sum] = [0, 0, 1, 0];
  for (let start = 0; start < wanted.length; start += D) {
    let [product, ofGiven, ofWanted] = [0, 0, 0];
    for (let i = start; i < start + D; i++) {
      const [a, b] = [given[i]!, wanted[i]!];
      difference = Math.max(difference, Math.abs(a - b));
      largest = Math.max(largest, Math.abs(b));
      product += a * b;
      ofGiven += a * a;
      ofWanted += b * b;
    }
    const along = product / Math.sqrt(ofGiven * ofWanted);
    cosine = Math.min(cosine, along);
    sum += along;
  }
  return { difference, largest, cosine, meanCosine: (sum * D) / wanted.length };
}

/** Pictures of the generated world, prepared as classification prepares them and cut to rows and columns in pixels. */
async function pictures([rows, columns]: readonly [number, number]): Promise<ImageBatch> {
  const side = Math.max(rows, columns);
  const world = generatedWorld({ length: PICTURES, size: side });
  const data = new Float32Array(PICTURES * 3 * rows * columns);
  const square = new Float32Array(3 * side * side);
  try {
    for (let index = 0; index < PICTURES; index++) {
      prepare(await readImage(world, index), { kind: 'squash', size: side }, square);
      for (let row = 0; row < 3 * rows; row++) {
        const from = (Math.floor(row / rows) * side + (row % rows)) * side;
        data.set(square.subarray(from, from + columns), (index * 3 * rows + row) * columns);
      }
    }
  } finally {
    await world.close?.();
  }
  return { data, shape: [PICTURES, 3, rows, columns] };
}
