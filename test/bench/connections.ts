/** How many requests are under way at once. */
export const CONNECTIONS = 16;
