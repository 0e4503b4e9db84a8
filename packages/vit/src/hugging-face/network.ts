/**
 * The vision model among the tensors of a file, compared with what config.json makes of it. What comes before its names is known by the patch embedding. Everything is
 * checked here, before the first number is read; a message names tensor and field.
 */
import type { Shape } from '@franca/tensor';
import { VitError } from '../errors';
import { requireFile, type WeightTable } from '../weights';
import type { Description } from './families';
import { said } from './fields';
import type { Piece } from './pieces';
import { nearestScheme } from './schemes';

export interface Network {
  /** Empty, or ends with a point. */
  readonly prefix: string;
  /** Names in the file by those without the prefix, as the family writes them. */
  readonly own: ReadonlyMap<string, string>;
}

/** @throws VitError `weights` where there is no such model, or several */
export function networkOf(file: WeightTable, { family }: Description): Network {
  requireFile(file);
  const names = [...file.tensors.keys()];
  const marker = `${String(family.names['patch_embed.proj'])}.weight`;
  const prefixes = names
    .filter((name) => name === marker || name.endsWith(`.${marker}`))
    .map((name) => name.slice(0, -marker.length));
  const [prefix, ...others] = prefixes;
  if (prefix === undefined) missing(marker, names, family.name);
  if (others.length > 0)
    throw new VitError(
      'weights',
      `the file holds ${prefixes.length} vision models, under ${prefixes
        .slice(0, 4)
        .map((each) => `"${each}"`)
        .join(', ')}; keep one of them`,
    );
  const [other, usual] = family.alias ?? ['', ''];
  const plain = (name: string): string => {
    const rest = name.slice(prefix.length);
    return other !== '' && rest.startsWith(other) ? usual + rest.slice(other.length) : rest;
  };
  return { prefix, own: new Map(names.filter((name) => name.startsWith(prefix)).map((name) => [plain(name), name])) };
}

/** Compared before anything is made for each layer. @throws VitError `config` naming both */
export function checkDepth({ own }: Network, { family, fields }: Description): void {
  const [before = ''] = String(family.names['blocks.#.norm1']).split('#');
  const starts = [...own.keys()].filter((name) => name.startsWith(before));
  const layers = new Set(starts.map((name) => name.slice(before.length).split('.', 1)[0]));
  if (layers.size === fields.num_hidden_layers || layers.size === 0) return;
  throw new VitError(
    'config',
    `${said(fields, 'num_hidden_layers')} in config.json, and the tensors are those of ${layers.size} layers (${before}0. and on); they are not of one model`,
  );
}

/**
 * Every piece must be there in its shape, and nothing else may be in the same modules. The mask token, which pretraining alone reads, may be absent.
 * @returns names in the file of what is left out
 * @throws VitError `weights` naming the first tensor that is missing or has no place, `config` for one of another shape
 */
export function checkTensors(
  file: WeightTable,
  { own, prefix }: Network,
  pieces: ReadonlyMap<string, readonly Piece[]>,
  { family, fields }: Description,
): readonly string[] {
  const needed = new Map<string, Shape>();
  for (const [ours, parts] of pieces)
    for (const { name, shape } of parts) {
      if (name === undefined || (ours === 'mask_token' && !own.has(name))) continue;
      needed.set(name, shape);
      const stored = own.get(name) ?? missing(prefix + name, [...file.tensors.keys()], family.name);
      const found = file.tensors.get(stored)!.shape;
      if (squeezed(found) !== squeezed(shape))
        throw new VitError(
          'config',
          `"${stored}" has shape [${found.join(', ')}]; config.json makes it [${shape.join(', ')}] (${SIZES.filter(
            (size) => fields[size] !== undefined,
          )
            .map((size) => said(fields, size))
            .join(', ')}); they are not of one model`,
        );
    }
  const roots = new Set([...needed.keys()].map((name) => name.split('.', 1)[0]));
  for (const [name, stored] of own) {
    const [root = ''] = name.split('.', 1);
    const empty = file.tensors.get(stored)!.shape.includes(0);
    if (needed.has(name) || empty || name.endsWith('.position_ids')) continue;
    if (roots.has(root) || CHANGES_IT.test(root)) refusePlaceless(stored, name, { family, fields });
  }
  const used = new Set([...needed.keys()].map((name) => own.get(name)));
  return [...file.tensors.keys()].filter((name) => !used.has(name) && !name.endsWith('.position_ids'));
}

const SIZES = ['hidden_size', 'intermediate_size', 'mlp_ratio', 'image_size', 'patch_size', 'num_register_tokens'];
/** Modules beside those of a family without which it would compute something else. */
const CHANGES_IT = /norm|token|embed|position|rope|lora|adapter/i;

const squeezed = (shape: Shape): string => shape.filter((extent) => extent !== 1).join(', ');

/** A bias that config.json denies is named with its field. */
function refusePlaceless(stored: string, name: string, { family, fields }: Description): never {
  const [layer = '', last] = name.split('.').slice(-2);
  const field = last === 'bias' ? family.biases[layer] : undefined;
  if (field) throw new VitError('config', `${said(fields, field)} in config.json, and there is a tensor "${stored}"`);
  const what = name.endsWith('distillation_token') ? 'it is a distillation token' : 'it has no place there';
  throw new VitError(
    'weights',
    `the tensor "${stored}" makes it another model than ${family.name}: ${what}; leaving it out would give other features, so these weights are not loaded`,
  );
}

function missing(name: string, names: readonly string[], family: string): never {
  const found = names.length === 0 ? 'no tensors at all' : `${names.slice(0, 3).join(', ')}, ...`;
  const scheme = names.length === 0 ? '' : `; ${nearestScheme(names, family)}`;
  throw new VitError(
    'weights',
    `config.json says ${family}, and there is no tensor "${name}"; there are ${found}${scheme}`,
  );
}
