/** The vendored Socket.IO client. */
export * from "socket.io-client";
