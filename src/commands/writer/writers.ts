// Vite's suffix: `?raw` imports a file as text, in tests by Vite and in the bundle by tools/build.

import type { WriterLanguage } from './languages.ts';
import go from './templates/metrics_writer.go?raw';
import python from './templates/metrics_writer.py?raw';
import rust from './templates/metrics_writer.rs?raw';
import bash from './templates/metrics_writer.sh?raw';
import typescript from './templates/metrics-writer.ts?raw';

/** Source code of the writer in each language. */
export const writers: Readonly<Record<WriterLanguage, string>> = { python, typescript, go, rust, bash };
