"""`kessai emulator` and `kessai listen`: a gateway's stand-in, served and listened to."""
