/** The files of a model: the graph, and those that it keeps large tensors in, which it names by their place beside it. */
import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import protobuf from 'protobufjs/light.js';
import { OnnxError } from '../errors';
import { firstLine } from './runtime';

/** As much of onnx.proto as leads to tensors outside: numbers of fields are those of the format, all others are passed over. */
const SCHEMA = {
  nested: {
    Model: {
      fields: {
        graph: { type: 'Graph', id: 7 },
        functions: { rule: 'repeated', type: 'Function', id: 25 },
      },
    },
    Graph: {
      fields: {
        node: { rule: 'repeated', type: 'Node', id: 1 },
        initializer: { rule: 'repeated', type: 'Tensor', id: 5 },
      },
    },
    Function: { fields: { node: { rule: 'repeated', type: 'Node', id: 7 } } },
    Node: { fields: { attribute: { rule: 'repeated', type: 'Attribute', id: 5 } } },
    Attribute: {
      fields: {
        t: { type: 'Tensor', id: 5 },
        g: { type: 'Graph', id: 6 },
        tensors: { rule: 'repeated', type: 'Tensor', id: 10 },
        graphs: { rule: 'repeated', type: 'Graph', id: 11 },
      },
    },
    Tensor: { fields: { externalData: { rule: 'repeated', type: 'Entry', id: 13 } } },
    Entry: { fields: { key: { type: 'string', id: 1 }, value: { type: 'string', id: 2 } } },
  },
};

const Model = protobuf.Root.fromJSON(SCHEMA).lookupType('Model');

interface Tensor {
  readonly externalData?: readonly { readonly key?: string; readonly value?: string }[];
}
interface Node {
  readonly attribute?: readonly {
    readonly t?: Tensor;
    readonly g?: Graph;
    readonly tensors?: readonly Tensor[];
    readonly graphs?: readonly Graph[];
  }[];
}
interface Graph {
  readonly node?: readonly Node[];
  readonly initializer?: readonly Tensor[];
}

/** Paths of the model and of all that it reads, the model first. @throws OnnxError `model` for a file that is none, or that names one elsewhere */
export async function filesOfOnnx(path: string): Promise<readonly string[]> {
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new OnnxError('model', `${path} cannot be read (${cause.code ?? cause.message})`, { cause });
  });
  const folder = dirname(resolve(path));
  const inside = (place: string): string => {
    const file = resolve(folder, place);
    const below = relative(folder, file);
    if (isAbsolute(below) || below.split(sep)[0] === '..')
      throw new OnnxError('model', `${path} keeps tensors in ${place}, outside its own folder; they are not read`);
    return file;
  };
  return [path, ...[...new Set(placesIn(path, bytes))].sort().map(inside)];
}

function placesIn(path: string, bytes: Uint8Array): string[] {
  try {
    const model = Model.decode(bytes) as unknown as { graph?: Graph; functions?: readonly Pick<Graph, 'node'>[] };
    return [...(model.graph ? placesOf(model.graph) : []), ...(model.functions ?? []).flatMap(placesOf)];
  } catch (error) {
    throw new OnnxError('model', `${path} is no ONNX model: ${firstLine((error as Error).message)}`, { cause: error });
  }
}

function placesOf({ node = [], initializer = [] }: Graph): string[] {
  const attributes = node.flatMap(({ attribute = [] }) => attribute);
  const tensors = [...initializer, ...attributes.flatMap(({ t, tensors = [] }) => (t ? [t, ...tensors] : tensors))];
  const graphs = attributes.flatMap(({ g, graphs = [] }) => (g ? [g, ...graphs] : graphs));
  const own = tensors.flatMap(({ externalData = [] }) =>
    externalData.flatMap(({ key, value }) => (key === 'location' && value ? [value] : [])),
  );
  return [...own, ...graphs.flatMap(placesOf)];
}
