/* Loaded before MPI by the end-to-end tests (LD_PRELOAD): one rank freezes at a call, as a host does that hangs. FREEZE_AT: the
 * call's name and its number, "MPI_Comm_dup:3"; FREEZE_RANK: the rank. */
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void freeze_at(const char* call, int number) {
  const char* rank = getenv("OMPI_COMM_WORLD_RANK");
  const char* wanted = getenv("FREEZE_RANK");
  const char* at = getenv("FREEZE_AT");
  char name[64];
  if (rank == NULL || wanted == NULL || at == NULL || strcmp(rank, wanted) != 0) return;
  snprintf(name, sizeof(name), "%s:%d", call, number);
  if (strcmp(name, at) == 0) raise(SIGSTOP);
}

int MPI_Init_thread(int* count, char*** words, int wanted, int* granted) {
  freeze_at("MPI_Init_thread", 1);
  return PMPI_Init_thread(count, words, wanted, granted);
}

int MPI_Isend(const void* bytes, int count, MPI_Datatype type, int to, int tag, MPI_Comm communicator, MPI_Request* request) {
  static int number = 0;
  freeze_at("MPI_Isend", ++number);
  return PMPI_Isend(bytes, count, type, to, tag, communicator, request);
}

int MPI_Get_library_version(char* text, int* length) {
  static int number = 0;
  freeze_at("MPI_Get_library_version", ++number);
  return PMPI_Get_library_version(text, length);
}

int MPI_Comm_dup(MPI_Comm communicator, MPI_Comm* copy) {
  static int number = 0;
  freeze_at("MPI_Comm_dup", ++number);
  return PMPI_Comm_dup(communicator, copy);
}

int MPI_Finalize(void) {
  freeze_at("MPI_Finalize", 1);
  return PMPI_Finalize();
}
