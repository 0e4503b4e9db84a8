/** A tensor of the file as a message: name, type and shape, with its elements or with the place where they lie. */
import { byteLengthOf, bytesOf, type Initializer, type ReadWeight } from './graph-builder';
import { DATA_TYPES, type TensorMessage } from './onnx-messages';

/** With its elements. */
export const tensorMessage = async (initializer: Initializer, read: ReadWeight): Promise<TensorMessage> => ({
  ...headOf(initializer),
  rawData: await bytesOf(initializer, read),
});

/** With its elements at `offset` of the file `location` beside the model. */
export function tensorElsewhere(initializer: Initializer, location: string, offset: number): TensorMessage {
  const place = { location, offset, length: byteLengthOf(initializer) };
  const externalData = Object.entries(place).map(([key, value]) => ({ key, value: String(value) }));
  return { ...headOf(initializer), externalData, dataLocation: 1 };
}

const headOf = ({ name, type, dims }: Initializer): TensorMessage => ({ name, dims, dataType: DATA_TYPES[type] });
