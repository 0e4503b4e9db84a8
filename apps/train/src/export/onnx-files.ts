/** The ONNX files of a model, written where transformers.js looks for them. */
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { writeVitOnnx } from '@franca/onnx';
import type { FinalLayer } from '@franca/vit';
import { foldedLayer } from '../rasa/write-rasa';
import type { ExportedWeights } from './model-file';
import { ONNX_KINDS, type OnnxType } from './onnx-types';

export interface OnnxFile {
  readonly type: OnnxType;
  /** Its path in the folder. */
  readonly name: string;
  /** With its external data. */
  readonly bytes: number;
  /** Whether weights lie in files beside it, as those of large models do. */
  readonly external: boolean;
}

/** Writes a graph of each type into `folder`; RASA is a part of it, where patches are concerned. */
export async function writeOnnxFiles(
  folder: string,
  weights: ExportedWeights,
  types: readonly OnnxType[],
): Promise<OnnxFile[]> {
  const finalLayer = await lastLayerOf(weights);
  const written: OnnxFile[] = [];
  for (const type of types) {
    const { precision, file } = ONNX_KINDS[type];
    const path = join(folder, file);
    await mkdir(dirname(path), { recursive: true });
    const model = { config: weights.config, weights: weights.read, ...(finalLayer && { finalLayer }) };
    const { bytes, files } = await writeVitOnnx(path, model, { precision });
    written.push({ type, name: file, bytes, external: files.length > 1 });
  }
  return written;
}

/** RASA as the last layer of patches: as it is folded in, or of the planes. */
async function lastLayerOf(weights: ExportedWeights): Promise<FinalLayer | undefined> {
  const { folded, planes } = weights.rasa;
  return folded ?? (planes.length > 0 ? foldedLayer(weights, planes) : undefined);
}

/** What transformers.js has to be told in `config.json` of files whose weights lie beside them; empty where there are none. */
export function externalData(files: readonly OnnxFile[]): Readonly<Record<string, unknown>> {
  const names = files.filter(({ external }) => external).map(({ name }) => [basename(name), true] as const);
  return names.length === 0
    ? {}
    : { 'transformers.js_config': { use_external_data_format: Object.fromEntries(names) } };
}
