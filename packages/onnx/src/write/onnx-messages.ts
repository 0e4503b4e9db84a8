/**
 * The messages of an ONNX file, as far as a model without control flow needs them: the fields of `onnx.proto` (github.com/onnx/onnx), by number, for protobufjs,
 * which writes the bytes. Names are those of the schema in camel case.
 */
import protobuf from 'protobufjs/light.js';

/** `TensorProto.DataType`. */
export const DATA_TYPES = { f32: 1, u8: 2, i64: 7, f16: 10 } as const;
export type DataType = keyof typeof DATA_TYPES;

/** `AttributeProto.AttributeType` with the field that holds the value. */
export const ATTRIBUTE_TYPES = { f: 1, i: 2, s: 3, ints: 7 } as const;

export interface StringPair {
  readonly key: string;
  readonly value: string;
}

export interface TensorMessage {
  readonly name: string;
  readonly dims: readonly number[];
  readonly dataType: number;
  /** Little-endian elements, row-major; absent where `externalData` says where they lie. */
  readonly rawData?: Uint8Array;
  /** `location`, `offset`, `length` of the elements in a file beside the model. */
  readonly externalData?: readonly StringPair[];
  /** 1 where `externalData` holds. */
  readonly dataLocation?: 1;
}

export interface AttributeMessage {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly ints?: readonly number[];
}

export interface NodeMessage {
  readonly name: string;
  readonly opType: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly AttributeMessage[];
}

/** Name, element type and shape of an input or output; a text in the shape is a size that is free. */
export interface ValueMessage {
  readonly name: string;
  readonly type: {
    readonly tensorType: { readonly elemType: number; readonly shape: { readonly dim: readonly Dimension[] } };
  };
}

type Dimension = { readonly dimValue: number } | { readonly dimParam: string };

export interface ModelMessage {
  readonly irVersion: number;
  readonly opsetImport: readonly { readonly domain: string; readonly version: number }[];
  readonly producerName: string;
  readonly graph: {
    readonly name: string;
    readonly node: readonly NodeMessage[];
    readonly initializer: readonly TensorMessage[];
    readonly input: readonly ValueMessage[];
    readonly output: readonly ValueMessage[];
  };
  readonly metadataProps: readonly StringPair[];
}

type Field = readonly [type: string, id: number, rule?: 'repeated'];

const MESSAGES: Readonly<Record<string, Readonly<Record<string, Field>>>> = {
  ModelProto: {
    irVersion: ['int64', 1],
    producerName: ['string', 2],
    graph: ['GraphProto', 7],
    opsetImport: ['OperatorSetIdProto', 8, 'repeated'],
    metadataProps: ['StringStringEntryProto', 14, 'repeated'],
  },
  OperatorSetIdProto: { domain: ['string', 1], version: ['int64', 2] },
  StringStringEntryProto: { key: ['string', 1], value: ['string', 2] },
  GraphProto: {
    node: ['NodeProto', 1, 'repeated'],
    name: ['string', 2],
    initializer: ['TensorProto', 5, 'repeated'],
    input: ['ValueInfoProto', 11, 'repeated'],
    output: ['ValueInfoProto', 12, 'repeated'],
  },
  NodeProto: {
    input: ['string', 1, 'repeated'],
    output: ['string', 2, 'repeated'],
    name: ['string', 3],
    opType: ['string', 4],
    attribute: ['AttributeProto', 5, 'repeated'],
  },
  AttributeProto: {
    name: ['string', 1],
    f: ['float', 2],
    i: ['int64', 3],
    s: ['bytes', 4],
    ints: ['int64', 8, 'repeated'],
    type: ['int32', 20],
  },
  TensorProto: {
    dims: ['int64', 1, 'repeated'],
    dataType: ['int32', 2],
    name: ['string', 8],
    rawData: ['bytes', 9],
    externalData: ['StringStringEntryProto', 13, 'repeated'],
    dataLocation: ['int32', 14],
  },
  ValueInfoProto: { name: ['string', 1], type: ['TypeProto', 2] },
  TypeProto: { tensorType: ['TensorType', 1] },
  TensorType: { elemType: ['int32', 1], shape: ['TensorShapeProto', 2] },
  TensorShapeProto: { dim: ['Dimension', 1, 'repeated'] },
  Dimension: { dimValue: ['int64', 1], dimParam: ['string', 2] },
};

/** The bytes of an ONNX file. */
export const encodeModel = (model: ModelMessage): Uint8Array => modelType().encode(model).finish();

/** `ModelProto` of protobufjs. */
export function modelType(): protobuf.Type {
  const fieldsOf = (fields: Readonly<Record<string, Field>>) =>
    Object.fromEntries(
      Object.entries(fields).map(([name, [type, id, rule]]) => [name, { type, id, ...(rule && { rule }) }]),
    );
  const nested = Object.fromEntries(
    Object.entries(MESSAGES).map(([name, fields]) => [name, { fields: fieldsOf(fields) }]),
  );
  return protobuf.Root.fromJSON({ nested }).lookupType('ModelProto');
}
