//! The table of C functions that SQLite calls, and their translation.
//!
//! Each function turns raw arguments into safe ones, calls the disk or the locks, and turns the
//! answer into a result code. SQLite guarantees that the pointers it passes are valid for the call
//! and that one file object is used by one thread at a time.

use crate::lock::{Coordination, SLOTS};
use crate::{Fault, FileId, Mounted, VFS_NAME, resolve};
use rusqlite::ffi;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

/// Longest path, as SQLite's own file system has it.
const PATH_BYTES_MAX: c_int = 512;
const SECTOR_BYTES: c_int = 512;

/// An open file. Lies behind the pointer of [`Slot`].
struct Open {
    mounted: Arc<Mounted>,
    coordination: Arc<Coordination>,
    file: FileId,
    me: u64,
    path: String,
    delete_on_close: bool,
}

/// What SQLite allocates for each file; begins as its `sqlite3_file` does.
#[repr(C)]
struct Slot {
    base: ffi::sqlite3_file,
    open: *mut Open,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(unlock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

/// Registers the file system with SQLite, once and for the life of the process.
pub(crate) fn register() -> Result<(), i32> {
    let name = CString::new(VFS_NAME).map_err(|_| ffi::SQLITE_INTERNAL)?;
    // SAFETY: a null name asks for the default file system, which lives as long as the process.
    let base = unsafe {
        ffi::sqlite3_initialize();
        ffi::sqlite3_vfs_find(std::ptr::null())
    };
    // SAFETY: null or valid, as above.
    let base = unsafe { base.as_ref() }.ok_or(ffi::SQLITE_INTERNAL)?;
    let vfs = ffi::sqlite3_vfs {
        iVersion: 2,
        szOsFile: c_int::try_from(size_of::<Slot>()).map_err(|_| ffi::SQLITE_INTERNAL)?,
        mxPathname: PATH_BYTES_MAX,
        pNext: std::ptr::null_mut(),
        zName: name.into_raw(),
        pAppData: std::ptr::null_mut(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: None,
        xDlError: None,
        xDlSym: None,
        xDlClose: None,
        // Randomness and time are the system's; its functions look at no file system.
        xRandomness: base.xRandomness,
        xSleep: base.xSleep,
        xCurrentTime: base.xCurrentTime,
        xGetLastError: None,
        xCurrentTimeInt64: base.xCurrentTimeInt64,
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    };
    // SAFETY: the table is leaked, so it outlives every use; all its functions are in this file
    // or the system's own.
    match unsafe { ffi::sqlite3_vfs_register(Box::into_raw(Box::new(vfs)), 0) } {
        ffi::SQLITE_OK => Ok(()),
        code => Err(code),
    }
}

/// The open file behind a pointer that SQLite passes.
///
/// # Safety
/// `file` was filled by `open` and not yet closed.
unsafe fn opened<'a>(file: *mut ffi::sqlite3_file) -> &'a Open {
    // SAFETY: `open` set the pointer before it set the methods, without which SQLite calls nothing.
    unsafe { &*(*file.cast::<Slot>()).open }
}

/// The text of a path.
///
/// # Safety
/// `path` is null or ends in a zero byte.
unsafe fn text<'a>(path: *const c_char) -> &'a str {
    if path.is_null() {
        return "";
    }
    // SAFETY: as the caller promises.
    unsafe { CStr::from_ptr(path) }.to_str().unwrap_or("")
}

fn code(answer: Result<(), Fault>, io: c_int) -> c_int {
    match answer {
        Ok(()) => ffi::SQLITE_OK,
        Err(Fault::Full) => ffi::SQLITE_FULL,
        Err(Fault::Io | Fault::NotFound) => io,
    }
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    flags_out: *mut c_int,
) -> c_int {
    let slot = file.cast::<Slot>();
    // SAFETY: SQLite gives room for one `Slot`; without methods it will not call `close`.
    unsafe { (*slot).base.pMethods = std::ptr::null() };
    // SAFETY: a file name of SQLite, or null for a temporary file.
    let Some((mounted, path)) = resolve(unsafe { text(name) }) else { return ffi::SQLITE_CANTOPEN };
    let Ok(number) = mounted.disk.open(path, flags & ffi::SQLITE_OPEN_CREATE != 0) else {
        return ffi::SQLITE_CANTOPEN;
    };
    let coordination = mounted.coordination(path);
    let me = coordination.handle();
    let delete_on_close = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
    let opened = Open { path: path.to_owned(), coordination, file: number, me, delete_on_close, mounted };
    // SAFETY: as above; the box is freed in `close`.
    unsafe {
        (*slot).open = Box::into_raw(Box::new(opened));
        (*slot).base.pMethods = &raw const METHODS;
        if let Some(flags_out) = flags_out.as_mut() {
            *flags_out = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: made by `open`, and SQLite closes a file once.
    let open = unsafe { Box::from_raw((*file.cast::<Slot>()).open) };
    open.coordination.leave(open.me);
    if open.delete_on_close {
        // SQLite does not look at the outcome either.
        let _ = open.mounted.disk.delete(&open.path, false);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, durable: c_int) -> c_int {
    // SAFETY: a path of SQLite.
    let Some((mounted, path)) = resolve(unsafe { text(name) }) else { return ffi::SQLITE_IOERR_DELETE_NOENT };
    match mounted.disk.delete(path, durable != 0) {
        Err(Fault::NotFound) => ffi::SQLITE_IOERR_DELETE_NOENT,
        answer => code(answer, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    _: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: a path of SQLite, and a place for the answer.
    unsafe {
        *out = c_int::from(resolve(text(name)).is_some_and(|(mounted, path)| mounted.disk.exists(path)))
    };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: a path of SQLite.
    let bytes = unsafe { CStr::from_ptr(name) }.to_bytes_with_nul();
    if bytes.len() > usize::try_from(room).unwrap_or(0) {
        return ffi::SQLITE_CANTOPEN;
    }
    // SAFETY: `out` has `room` bytes, and `bytes` fits.
    unsafe { bytes.as_ptr().cast::<c_char>().copy_to_nonoverlapping(out, bytes.len()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    into: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    let (Ok(amount), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: an open file, and `amount` bytes to fill.
    let (open, into) = unsafe { (opened(file), std::slice::from_raw_parts_mut(into.cast::<u8>(), amount)) };
    match open.mounted.disk.read(open.file, offset, into) {
        Ok(read) if read == amount => ffi::SQLITE_OK,
        Ok(read) => {
            into[read..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    from: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    let (Ok(amount), Ok(offset)) = (usize::try_from(amount), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: an open file, and `amount` bytes to write.
    let (open, bytes) = unsafe { (opened(file), std::slice::from_raw_parts(from.cast::<u8>(), amount)) };
    code(open.mounted.disk.write(open.file, offset, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: i64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    let length = u64::try_from(length).unwrap_or(0);
    code(open.mounted.disk.truncate(open.file, length), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    code(open.mounted.disk.sync(open.file), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    let Some(length) = open.mounted.disk.length(open.file).ok().and_then(|length| i64::try_from(length).ok())
    else {
        return ffi::SQLITE_IOERR_FSTAT;
    };
    // SAFETY: a place for the answer.
    unsafe { *out = length };
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    if open.coordination.raise(open.me, level) { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn unlock(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    open.coordination.lower(open.me, level);
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: an open file, and a place for the answer.
    unsafe { *out = c_int::from(opened(file).coordination.is_reserved()) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    SECTOR_BYTES
}

/// What SQLite's own file system claims by default: a write never changes bytes beside its own.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    let (Ok(index), Ok(bytes)) = (usize::try_from(index), usize::try_from(bytes)) else {
        return ffi::SQLITE_IOERR_SHMMAP;
    };
    // SAFETY: an open file, and a place for the answer. The region lives until `unmap`.
    unsafe {
        let open = opened(file);
        let region = open.coordination.region(open.me, index, bytes, extend != 0);
        *out = region.map_or(std::ptr::null_mut(), <*mut u8>::cast);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(
    file: *mut ffi::sqlite3_file,
    first: c_int,
    count: c_int,
    flags: c_int,
) -> c_int {
    let (Ok(first), Ok(count)) = (usize::try_from(first), usize::try_from(count)) else {
        return ffi::SQLITE_IOERR_SHMLOCK;
    };
    if first + count > SLOTS {
        return ffi::SQLITE_IOERR_SHMLOCK;
    }
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
        open.coordination.release_slots(open.me, first, count);
        return ffi::SQLITE_OK;
    }
    let alone = flags & ffi::SQLITE_SHM_EXCLUSIVE != 0;
    if open.coordination.take_slots(open.me, first, count, alone) { ffi::SQLITE_OK } else { ffi::SQLITE_BUSY }
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {
    fence(Ordering::SeqCst);
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { opened(file) };
    open.coordination.unmap(open.me);
    ffi::SQLITE_OK
}
