/** The languages that `writer` has a file for; the first one is the default. */
export const writerLanguages = ['python', 'typescript', 'go', 'rust', 'bash'] as const;

export type WriterLanguage = (typeof writerLanguages)[number];
