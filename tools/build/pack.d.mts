/** Writes the package's archive into a folder, and gives its path. */
export function pack(destination: string): Promise<string>;
