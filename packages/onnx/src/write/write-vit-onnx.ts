/**
 * A Vision Transformer to an ONNX file, whole or not at all. Weights are read one at a time. Up to 1.5 GB of them lie in the file itself, since a protobuf message
 * ends at 2 GB; beyond that they are streamed into `<file>_data` beside it, the external data of ONNX, and only one is in memory.
 */
import { basename } from 'node:path';
import { writeFileAtomic } from '@franca/checkpoint';
import { type OptionKinds, optionProblem } from '@franca/tensor';
import { CONFIG_KEY, encodeVitConfig, type VitConfig } from '@franca/vit';
import { OnnxError } from '../errors';
import { externalTensors, writeExternal } from './external-data';
import { byteLengthOf, type Precision, type ReadWeight } from './graph-builder';
import { encodeModel, type TensorMessage } from './onnx-messages';
import { checkedConfig, type OnnxSource, readerOf } from './source';
import { tensorMessage } from './tensor-message';
import { type VitGraph, vitGraph } from './vit-graph';

export interface OnnxWriteOptions {
  /**
   * `f32`; `f16`: linear layers, attention products and patch embedding in f16, the residual stream, norms and softmax in f32; `q8`: linear layers of blocks as products
   * of bytes, the rest f32. Inputs and outputs are f32 always.
   */
  readonly precision: Precision;
  /** Bytes of weights from which on they lie in a file beside the model (default 1.5e9). */
  readonly externalFrom?: number | undefined;
}

export interface WrittenOnnx {
  /** Of all files together. */
  readonly bytes: number;
  /** Their paths: the model, and its external data where there are some. */
  readonly files: readonly string[];
}

/** Opset 18 and the version of the format that came with it: what every runtime of the last years reads. */
const OPSET = 18;
const IR_VERSION = 8;

/**
 * Writes a model as `path`, with `<path>_data` where it is large. See the README for inputs, outputs and precisions.
 * @throws OnnxError `options`; `model` where configuration and weights do not fit, or f16 does not hold a weight; CheckpointError where the file cannot be written
 */
export async function writeVitOnnx(path: string, source: OnnxSource, options: OnnxWriteOptions): Promise<WrittenOnnx> {
  const { precision, externalFrom = 1.5e9 } = checkedOptions(options);
  const config = checkedConfig(source);
  const graph = vitGraph(config, { precision, finalLayer: source.finalLayer !== undefined });
  const read = readerOf(source, config);
  const total = graph.initializers.reduce((sum, each) => sum + byteLengthOf(each), 0);
  return total < externalFrom ? writeWhole(path, config, graph, read) : writeWithData(path, config, graph, read);
}

async function writeWhole(path: string, config: VitConfig, graph: VitGraph, read: ReadWeight): Promise<WrittenOnnx> {
  const { bytes } = await writeFileAtomic(path, async (sink) => {
    const tensors: TensorMessage[] = [];
    for (const each of graph.initializers) tensors.push(await tensorMessage(each, read));
    await sink(modelBytes(config, graph, tensors));
  });
  return { bytes, files: [path] };
}

/** The data come first, so that a model is never there without them. */
async function writeWithData(path: string, config: VitConfig, graph: VitGraph, read: ReadWeight): Promise<WrittenOnnx> {
  const data = `${path}_data`;
  let dataBytes = 0;
  const { bytes } = await writeFileAtomic(path, async (sink) => {
    const tensors = await externalTensors(graph.initializers, read, basename(data));
    dataBytes = await writeExternal(data, graph.initializers, read);
    await sink(modelBytes(config, graph, tensors));
  });
  return { bytes: dataBytes + bytes, files: [path, data] };
}

function modelBytes(config: VitConfig, graph: VitGraph, initializer: readonly TensorMessage[]): Uint8Array {
  const { nodes: node, inputs: input, outputs: output } = graph;
  return encodeModel({
    irVersion: IR_VERSION,
    producerName: '@franca/onnx',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: { name: 'vit', node, initializer, input, output },
    metadataProps: [{ key: CONFIG_KEY, value: encodeVitConfig({ config, assumed: [] }) }],
  });
}

function checkedOptions(options: OnnxWriteOptions): OnnxWriteOptions {
  const kinds: OptionKinds<OnnxWriteOptions> = { precision: ['f32', 'f16', 'q8'], externalFrom: 'number' };
  const problem = optionProblem(options, kinds);
  if (problem) throw new OnnxError('options', `writeVitOnnx: ${problem}`);
  if (options.precision === undefined)
    throw new OnnxError('options', 'writeVitOnnx: precision is missing; give f32, f16 or q8');
  return options;
}
