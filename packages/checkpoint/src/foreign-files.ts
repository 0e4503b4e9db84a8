/** Files that are given for weights and are something else: called what they are, with the way to the weights. */
import type { ByteSource } from './byte-source';
import { CheckpointError, quote } from './errors';

interface ForeignKind {
  /** What it is; follows "is". */
  readonly what: string;
  readonly wayOut: string;
  /** `head`: its first bytes, one character each. */
  readonly matches: (head: string, path: string) => boolean;
}

const HEAD_BYTES = 4096;
const AGAIN = 'download it again';
const UNPACK = 'unpack it and give the file of weights in it';
const CONVERT = 'save the weights of its PyTorch version, or write them as .safetensors under the names of a ViT';

// @__NO_SIDE_EFFECTS__
function starts(...signatures: readonly string[]): (head: string) => boolean {
  return (head) => signatures.some((signature) => head.startsWith(signature));
}
const text = (head: string): string => head.replace(/^\xef\xbb\xbf/, '').trimStart();

/** The first that matches counts. */
const KINDS: readonly ForeignKind[] = [
  {
    what: 'a Git LFS pointer, which stands for the weights',
    wayOut: 'fetch them with git lfs pull, or download the file itself',
    matches: starts('version https://git-lfs', 'version https://hawser'),
  },
  {
    what: 'a web page, such as one that asks to log in',
    wayOut:
      'download the file itself (on Hugging Face and GitHub its address has /resolve/ or /raw/ in place of /blob/)',
    matches: (head) => /^<(!doctype|html|head|\?xml|!--|script)/i.test(text(head)),
  },
  {
    what: 'an HDF5 file, as Keras, TensorFlow and MATLAB write',
    wayOut: CONVERT,
    matches: starts('\x89HDF\r\n\x1a\n'),
  },
  { what: 'a model in GGUF or GGML', wayOut: CONVERT, matches: starts('GGUF', 'ggml', 'lmgg', 'tjgg') },
  { what: 'a TensorFlow Lite model', wayOut: CONVERT, matches: (head) => head.startsWith('TFL3', 4) },
  {
    what: 'an ONNX model, which keeps a program and not named weights alone',
    wayOut: CONVERT,
    matches: (head, path) =>
      /\.onnx$/i.test(path) || (head.startsWith('\b') && /pytorch|onnx|keras/i.test(head.slice(0, 48))),
  },
  {
    what: 'a TensorFlow model or checkpoint',
    wayOut: CONVERT,
    matches: (_, path) => /\.(pb|tflite|index|data-\d{5}-of-\d{5})$/i.test(path),
  },
  { what: 'a NumPy array', wayOut: CONVERT, matches: starts('\x93NUMPY') },
  {
    what: 'an archive',
    wayOut: 'unpack it first: unpackWeights(path, folder), or in a shell: cat PARTS | tar xz',
    matches: (head) => starts('\x1f\x8b')(head) || head.startsWith('ustar', 257),
  },
  {
    what: 'a compressed file or archive (xz, bzip2, zstd, 7z or rar)',
    wayOut: UNPACK,
    matches: starts('\xfd7zXZ\0', 'BZh', '\x28\xb5\x2f\xfd', '7z\xbc\xaf\x27\x1c', 'Rar!'),
  },
  {
    what: 'a later part of an archive that was cut into parts',
    wayOut: 'give all parts, or the first (.part_aa)',
    matches: (_, path) => /\.(part_?[a-z]{2}|part\d+|z\d\d|00[1-9])$/i.test(path),
  },
  {
    what: 'a pickle, but not one of torch.save',
    wayOut: 'load it in Python and save its tensors: torch.save(state_dict, path)',
    matches: (head) =>
      (head.startsWith('\x80') && head.charCodeAt(1) <= 5) || /^(\(dp?\d|\(lp?\d|c[\w.]+\n\w+\n)/.test(head),
  },
  {
    what: 'a picture',
    wayOut: 'give a file of weights',
    matches: starts('\x89PNG', '\xff\xd8\xff', 'GIF8', 'RIFF', 'BM'),
  },
  { what: 'a PDF', wayOut: 'give a file of weights', matches: starts('%PDF') },
];

/** The error for a file that is none of the formats that are read; `expected` follows "is no". */
export async function foreignFile(file: ByteSource, expected: string): Promise<CheckpointError> {
  const { path, size } = file;
  if (size === 0) return refusal(path, 'empty', AGAIN);
  const head = String.fromCharCode(...(await file.read(0, Math.min(size, HEAD_BYTES))));
  const kind = KINDS.find(({ matches }) => matches(head, path));
  if (kind) return refusal(path, `${kind.what} (${size} bytes)`, kind.wayOut);
  if ([...head].every((byte) => byte === '\0'))
    return refusal(path, `${size} bytes that begin with zeros, an unfinished download`, AGAIN);
  const begins = quote(head.slice(0, 24));
  return refusal(
    path,
    `no ${expected}: its ${size} bytes begin with ${begins}`,
    `.safetensors and .pth are read; ${AGAIN}, or convert it`,
  );
}

/** The error for JSON that is no index of shards. */
export function foreignJson(path: string, value: unknown): CheckpointError {
  const fields = new Map(Object.entries(typeof value === 'object' && value !== null ? value : {}));
  const said = ['message', 'error', 'detail', 'msg']
    .map((key) => fields.get(key))
    .find((part) => typeof part === 'string');
  if (said !== undefined)
    return refusal(
      path,
      `an answer of a server that says ${quote(String(said))}`,
      'check the address and download the file again',
    );
  if (fields.has('model_type') || fields.has('architecture') || fields.has('architectures'))
    return refusal(path, 'the configuration of a model', 'give the file of weights beside it');
  return refusal(
    path,
    'JSON and no index of a model in several files: it has no "weight_map" object',
    'give the file of weights itself',
  );
}

interface ForeignArchive {
  readonly what: string;
  readonly wayOut: string;
  readonly matches: (names: readonly string[]) => boolean;
}

// @__NO_SIDE_EFFECTS__
function some(pattern: RegExp): ForeignArchive['matches'] {
  return (names) => names.some((name) => pattern.test(name));
}

const ARCHIVES: readonly ForeignArchive[] = [
  {
    what: 'a TorchScript program, not weights',
    wayOut: 'in Python save torch.jit.load(path).state_dict() with torch.save and give that file',
    matches: some(/^[^/]+\/(constants\.pkl|code\/)/),
  },
  {
    what: 'a NumPy archive (.npz)',
    wayOut: CONVERT,
    matches: (names) => names.length > 0 && names.every((name) => name.endsWith('.npy')),
  },
  { what: 'a Keras model', wayOut: CONVERT, matches: some(/(^|\/)(model\.weights\.h5|saved_model\.pb)$/) },
  {
    what: 'a zip around files of weights',
    wayOut: 'unzip it and give one of them',
    matches: some(/\.(pth|pt|ckpt|bin|safetensors|h5|onnx)$/),
  },
];

/** The error for a zip that is something else than a file of torch.save, by the names of its entries; undefined where nothing says so. */
export function foreignArchive(names: readonly string[], path: string): CheckpointError | undefined {
  const kind = ARCHIVES.find(({ matches }) => matches(names));
  return kind && refusal(path, kind.what, kind.wayOut);
}

/** A shard that is given without its index, as `openCheckpoint` refuses it; `index` lies beside it or not. */
export function loneShard(path: string, index: string | undefined): CheckpointError {
  const [, number, count] = SHARD.exec(path)!;
  return refusal(
    path,
    `file ${Number(number)} of the ${Number(count)} that hold one model`,
    index ? `give their index, ${index}` : 'give their index (*.index.json), downloaded into the same folder',
  );
}

/** `model-00001-of-00005.safetensors`. */
export const SHARD: RegExp = /-(\d{5})-of-(\d{5})\.\w+$/;

function refusal(path: string, what: string, wayOut: string): CheckpointError {
  return new CheckpointError('bad-format', `${path} is ${what}; ${wayOut}`);
}
