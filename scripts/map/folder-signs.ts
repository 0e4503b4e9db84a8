/**
 * What is in each folder that no file of its own name speaks for (`knn/knn.ts` speaks for `knn/`): one line, the sign on the door. The
 * check of documents finds folders without a sign, and signs without a folder.
 */
export const FOLDER_SIGNS: Readonly<Record<string, string>> = {
  'packages/tensor/src/base':
    'What everything else stands on: element types, shapes, random numbers, facts of an adapter',
  'packages/tensor/src/graph': 'Recording: what an op, a node and a tensor are, and how state is laid out',
  'packages/tensor/src/kernels': 'Writing WGSL: bindings, uniforms, and the frames that kernels share',
  'packages/tensor/src/ops':
    'One op, one file: shape rule, f64 reference, gradient, kernels; a large family has a folder',
  'packages/tensor/src/ops/convolution': 'Convolution: products with a window over images, and their gradients',
  'packages/tensor/src/ops/rows': 'Ops along the last axis: softmax, norms, top-k, cross-entropy',
  'packages/tensor/src/passes': 'Graph to graph: gradients; and the interpreter that runs a graph in f64',
  'packages/tensor/src/device': 'A plan on a GPU: buffers, bind groups, encoding, metrics, tuning, diagnosis',
  'packages/tensor/src/testing': 'The graphs and adapters that every kernel is compiled for',

  'packages/onnx/src/write': 'A Vision Transformer as an ONNX file: its graph, part by part, and the bytes',

  'packages/checkpoint/src/bytes': 'Safetensors without Node: in memory, in a Blob, at an address',
  'packages/checkpoint/src/safetensors': 'Files of tensors, whole or in shards: read, written',
  'packages/checkpoint/src/numpy': 'Arrays of NumPy, read without unpickling anything, and written',
  'packages/checkpoint/src/torch': 'What `torch.save` wrote: zip and pickle, read without executing anything',
  'packages/checkpoint/src/official': 'Official checkpoints: which part is where, under which names',
  'packages/checkpoint/src/run': 'Checkpoints of a run: saved whole or not at all, found again, locked, pruned',

  'packages/vit/src/hugging-face':
    'Folders of the transformers library: names and fields of each family, to ours and back',

  'packages/data/src/files': 'Bytes from disk, HTTP and the Hugging Face hub; the cache',
  'packages/data/src/formats': 'Tar, npy and parquet, read within limits',
  'packages/data/src/images': 'What an image and a source of images are; decoding',
  'packages/data/src/sources': 'Every kind of data set, and how a text becomes one',
  'packages/data/src/loading': 'Which image comes next, reading ahead, batches, bad images',
  'packages/data/src/augment': 'Multi-crop views on CPU and GPU, as PIL and torchvision compute them',
  'packages/data/src/world': 'The generated world: scenes of textured toys, ray-traced, with labels of everything',

  'packages/evals/src/backend':
    'The heavy operations behind one interface: one file each for CPU and GPU, side by side',
  'packages/evals/src/cache': 'Features on disk, by fingerprint',
  'packages/evals/src/depth': 'Depth of every pixel: metrics, losses, heads, and their training on the engine',
  'packages/evals/src/metrics': 'Accuracy, IoU, ROC, matching of clusters to classes',
  'packages/evals/src/compare': 'Results of single items, and the difference of two models on the same ones',
  'packages/evals/src/numerics':
    'Arithmetic that needs no backend: L-BFGS, eigenvectors, bilinear taps, random numbers',
  'packages/evals/src/statistics': 'Moments, PCA and k-means of features, on either backend',
  'packages/evals/src/ood': 'Out-of-distribution detection: one file a score',
  'packages/evals/src/video': 'Objects followed through videos: label propagation, maps to pixels, scores',
  'packages/evals/src/report': 'Results as a table, beside those of the paper',

  'packages/viz/src/drawing': 'SVG, PNG, colours and pixels',
  'packages/viz/src/charts': 'Axes, curves, histograms, heat maps, grids of pictures',
  'packages/viz/src/figures': 'Figures of this field: attention, masks, entropy, prototypes, segmentation',
  'packages/viz/src/pca': 'PCA maps of patch features, by the recipes of the papers',
  'packages/viz/src/report': 'One HTML file with everything in it',

  'apps/train/src/features/files': 'Features in files from anywhere: opened, checked, matched with images, and written',
  'apps/train/src/compare': 'Results of several models side by side: rows, differences, page',
  'apps/train/src/commands': 'One file a command, found by reading this folder',
  'apps/train/src/options': 'Options that commands share, and their values checked',
  'apps/train/src/text': 'Amounts, durations and progress as text',
  'apps/train/src/config': 'YAML and overrides to a checked configuration, and from it the numbers of a run',
  'apps/train/src/run': 'The training loop: from options to a run, its steps, its checkpoints',
  'apps/train/src/ranks': 'Processes that work together: what they tell each other, how they fail and end',
  'apps/train/src/observe': 'What is written down about a run while it trains: figures, k-NN, pictures, report',
  'apps/train/src/plan': 'What a configuration takes, without running it',
  'apps/train/src/doctor': 'What this machine computes with, and which preset fits',
  'apps/train/src/image-sets': 'Images with classes, masks or boxes to evaluate on',
  'apps/train/src/hub': 'Weights that are named and not a path: fetched from a hub or a release, checked, kept',
  'apps/train/src/features': 'From weights and images to features, cached in shards',
  'apps/train/src/eval': 'What an evaluation needs and how one or all of them run',
  'apps/train/src/eval/correspondence': 'Pairs of pictures matched: sizes, lists of pairs, lines, tables',
  'apps/train/src/eval/tasks': 'One file an evaluation',
  'apps/train/src/eval/depth': 'Depth probed: plan, sizes, batches of features, training that goes on, pictures',
  'apps/train/src/eval/discovery': 'Objects looked for in whole pictures: settings, features, cached results, scores',
  'apps/train/src/eval/estimate/costs': 'What each evaluation says that it costs, in units that its time is linear in',
  'apps/train/src/eval/video':
    'Objects followed through videos: settings, frames, cached masks, scores, pictures and written masks',
  'apps/train/src/eval/warp': 'Sets of warped pictures and their pairs',
  'apps/train/src/rasa': 'RASA fitted, proved and written',
  'apps/train/src/show': 'Pictures of what a model sees',
  'apps/train/src/import': 'Checkpoints converted',
  'apps/train/src/export': 'Models as other programs load them: formats, ONNX graphs, checks, the model card',
  'apps/train/src/publish': 'An exported folder to the Hugging Face hub: what would go, then one commit',

  examples: 'Small programs, each a package at work in something that is not Franca; their tests run them',
  bench: 'Benchmarks, and their recorded results',
  fixtures: 'Reference data of the official code and of PyTorch, read by tests',
  scripts: 'Set-up, checks, this map, and the generators behind `npm run new`',
  test: 'Support for tests, and the tests of scripts',
  'test/cluster': 'A Slurm and two hosts on one machine, and what is done to ranks on them; run by hand',
};
