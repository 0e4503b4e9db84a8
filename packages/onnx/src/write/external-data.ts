/**
 * The external data of ONNX: elements of tensors one after the other in a file beside the model, each from a multiple of 4096 bytes on, so that runtimes can map
 * them. Where each will lie follows from the shapes, before any is read.
 */
import { writeFileAtomic } from '@franca/checkpoint';
import { byteLengthOf, bytesOf, type Initializer, type ReadWeight } from './graph-builder';
import type { TensorMessage } from './onnx-messages';
import { tensorElsewhere, tensorMessage } from './tensor-message';

const PAGE = 4096;
/** Tensors up to this size stay in the model, where runtimes look for shapes and the like. */
const KEPT_INSIDE = 1024;

const isOutside = (each: Initializer): boolean => byteLengthOf(each) > KEPT_INSIDE;

const padded = (length: number): number => Math.ceil(length / PAGE) * PAGE;

/** All tensors as messages: small ones with their elements, the others with their place in the file `location`. */
export async function externalTensors(
  initializers: readonly Initializer[],
  read: ReadWeight,
  location: string,
): Promise<TensorMessage[]> {
  const tensors: TensorMessage[] = [];
  let offset = 0;
  for (const each of initializers) {
    if (!isOutside(each)) {
      tensors.push(await tensorMessage(each, read));
      continue;
    }
    tensors.push(tensorElsewhere(each, location, offset));
    offset += padded(byteLengthOf(each));
  }
  return tensors;
}

/** Writes the elements of the others, one tensor in memory at a time, and says how many bytes they take. */
export async function writeExternal(
  path: string,
  initializers: readonly Initializer[],
  read: ReadWeight,
): Promise<number> {
  const { bytes } = await writeFileAtomic(path, async (sink) => {
    for (const each of initializers.filter(isOutside)) {
      const elements = await bytesOf(each, read);
      await sink(elements);
      await sink(new Uint8Array(padded(elements.length) - elements.length));
    }
  });
  return bytes;
}
