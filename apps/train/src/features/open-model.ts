/**
 * The networks of a file of weights, under official names whatever program wrote them: names of the transformers library are translated by the `config.json` beside
 * them, and the normalisation of pixels that the model was made for is folded into its patch embedding.
 */
import { openCheckpoint, type TensorFile } from '@franca/checkpoint';
import { IMAGENET_NORMALISATION } from '@franca/data';
import { foldNormalisation, translateHuggingFace, VitError } from '@franca/vit';
import { TrainError } from '../errors';
import { isImageNets, jsonBeside, preprocessingBeside } from './beside-weights';
import { type NetworkOfFile, networkOfFile } from './network-of-file';

/** An open file with one of its networks; close the file. */
export interface OpenedModel extends NetworkOfFile {
  readonly file: TensorFile;
  /** Normalisation of pixels that was folded into the patch embedding; empty for that of ImageNet. For the identity of weights. */
  readonly pixels: string;
}

/**
 * Opens a file of weights. `network`: which one of several; `wayOut` says how another one is chosen.
 * @throws TrainError `file` where there is no ViT, or what lies beside it contradicts it; CheckpointError
 */
export async function openModel(path: string, network?: string, wayOut?: string): Promise<OpenedModel> {
  const stored = await openCheckpoint(path);
  try {
    const { file, notes: translated } = underOfficialNames(stored);
    const found = networkOfFile(file, network, wayOut);
    const { backbone, pixels, notes: onPixels } = forOurPixels(found.parts.backbone, path, translated.length > 0);
    const parts = { ...found.parts, backbone };
    return { ...found, parts, file, pixels, notes: [...translated, ...found.notes, ...onPixels] };
  } catch (error) {
    await stored.close();
    throw error;
  }
}

/** Names of the transformers library, of which every one of its vision models has some. */
const FOREIGN = /(^|\.)(patch_embeddings\.(projection\.)?weight|embeddings\.patch_embedding\.weight)$/;

function underOfficialNames(file: TensorFile): { file: TensorFile; notes: readonly string[] } {
  if (![...file.tensors.keys()].some((name) => FOREIGN.test(name))) return { file, notes: [] };
  const config = jsonBeside(file.path, 'config.json');
  if (!config)
    throw new TrainError(
      'file',
      `${file.path}: its names are those of the transformers library, which mean nothing without their config.json; put that of the same repository beside it`,
    );
  try {
    const { tensors, metadata, read, readFloat32, family, notes } = translateHuggingFace(file, config.json);
    const { path, close } = file;
    const opened = { path, notes: file.notes, tensors, metadata, read, readFloat32, close };
    return {
      file: { ...opened, [Symbol.asyncDispose]: close },
      notes: [`${family} of the transformers library, by ${config.path}`, ...notes],
    };
  } catch (error) {
    if (!(error instanceof VitError)) throw error;
    throw new TrainError('file', `${file.path}, with ${config.path}: ${error.message}`, { cause: error });
  }
}

type Backbone = NetworkOfFile['parts']['backbone'];

/** @param isForeign whether the weights are another program's, which would have said how pixels are normalised */
function forOurPixels(
  backbone: Backbone,
  path: string,
  isForeign: boolean,
): Pick<OpenedModel, 'pixels' | 'notes'> & { readonly backbone: Backbone } {
  const said = preprocessingBeside(path);
  if (!said)
    return {
      backbone,
      pixels: '',
      notes: isForeign
        ? ['no preprocessor_config.json lies beside the weights: pixels are normalised by mean and std of ImageNet']
        : [],
    };
  const { normalisation, source, resizing } = said;
  const notes = resizing
    ? [`${source} asks for ${resizing}; pictures are prepared as the evaluation says, like those of other models`]
    : [];
  if (isImageNets(normalisation)) return { backbone, pixels: '', notes };
  const { mean, std } = normalisation;
  return {
    pixels: `pixels ${mean.join()} ${std.join()}`,
    backbone: foldNormalisation(backbone, normalisation, IMAGENET_NORMALISATION),
    notes: [
      `pixels: mean ${mean.join(', ')} and std ${std.join(', ')} (${source}), folded into the patch embedding`,
      ...notes,
    ],
  };
}
