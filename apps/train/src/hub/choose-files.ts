/** Which files of a model's repository are fetched: the weights, one format of them, and what says how they are meant. */
import { TrainError } from '../errors';
import { ONNX_FILES, WEIGHT_FILES } from './weight-files';

/** The files to fetch, and which of them the weights are opened by. */
export interface ChosenFiles {
  readonly files: readonly string[];
  /** A path among them; undefined where the folder is what is opened. */
  readonly weights?: string;
}

/** What lies beside weights and says something of them. */
const BESIDE = [
  'config.json',
  'config.yaml',
  'preprocessor_config.json',
  'rasa_head.safetensors',
  'dino_head.safetensors',
  'ibot_head.safetensors',
];
const WEIGHTS = /\.(safetensors|pth|pt|bin|onnx)$/;

/**
 * Files among `paths` of the repository `repo`; `within`: the file or folder of it that was named.
 * @throws TrainError `file` where there are no weights, or several and none is the usual one
 */
export function chooseFiles(paths: readonly string[], within: string | undefined, repo: string): ChosenFiles {
  const named = within !== undefined && paths.includes(within) ? within : undefined;
  const folder = named === undefined ? (within ?? '') : named.split('/').slice(0, -1).join('/');
  const below = folder === '' ? '' : `${folder}/`;
  const has = (name: string): boolean => paths.includes(below + name);
  const beside = [...BESIDE.map((name) => below + name), ...(named?.endsWith('.onnx') ? aboveOnnx(below) : [])];
  const taken = named ?? usual(paths, below, has);
  if (taken === undefined) throw none(paths, within, repo);
  const files = new Set([taken, ...shardsOf(paths, taken), ...beside.filter((path) => paths.includes(path))]);
  const opened = named !== undefined || !WEIGHT_FILES.includes(taken.slice(below.length));
  return { files: [...files], ...(opened && { weights: taken }) };
}

/** The configuration of an ONNX file lies in the folder above. */
const aboveOnnx = (below: string): string[] =>
  below.endsWith('onnx/') ? BESIDE.map((name) => below.slice(0, -'onnx/'.length) + name) : [];

/** The preferred file of weights, else the only one, else the ONNX file. */
function usual(paths: readonly string[], below: string, has: (name: string) => boolean): string | undefined {
  const known = WEIGHT_FILES.find(has) ?? onlyOne(paths, below) ?? ONNX_FILES.find(has);
  return known === undefined ? undefined : below + known;
}

function onlyOne(paths: readonly string[], below: string): string | undefined {
  const here = paths.filter((path) => path.startsWith(below)).map((path) => path.slice(below.length));
  const weights = here.filter((name) => WEIGHTS.test(name) && !name.includes('/') && !BESIDE.includes(name));
  return weights.length === 1 ? weights[0] : undefined;
}

/** The parts of weights in several files, and the data beside an ONNX file. */
function shardsOf(paths: readonly string[], taken: string): string[] {
  const stem = taken.replace(/\.(safetensors|bin)\.index\.json$/, '');
  const isShard = (path: string): boolean =>
    stem !== taken && path.startsWith(`${stem}-`) && /^-\d+-of-\d+\.(safetensors|bin)$/.test(path.slice(stem.length));
  return paths.filter((path) => isShard(path) || (taken.endsWith('.onnx') && path === `${taken}_data`));
}

function none(paths: readonly string[], within: string | undefined, repo: string): TrainError {
  const where = within === undefined ? `hf://${repo}` : `hf://${repo}:${within}`;
  const weights = paths.filter((path) => WEIGHTS.test(path));
  const wayOut =
    weights.length === 0
      ? `it has ${paths.slice(0, 6).join(', ') || 'no files'}`
      : `name one: ${weights
          .slice(0, 6)
          .map((path) => `hf://${repo}:${path}`)
          .join(', ')}`;
  return new TrainError('file', `${where} has none of ${WEIGHT_FILES.join(', ')}; ${wayOut}`);
}
