/* `bcryptprimitives.dll`, which Wine before version 9 lacks and Rust's standard library imports.
 * ProcessPrng never fails by contract; the call behind it is the one that older versions of Windows
 * used (RtlGenRandom), with a length of 32 bits. */
#include <windows.h>

BOOLEAN WINAPI SystemFunction036(PVOID buffer, ULONG length);

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length)
{
    while (length > 0) {
        ULONG part = length > 0x40000000 ? 0x40000000 : (ULONG)length;
        if (!SystemFunction036(buffer, part))
            return FALSE;
        buffer += part;
        length -= part;
    }
    return TRUE;
}
